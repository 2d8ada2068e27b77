import pytest
from hypothesis import given
from hypothesis import strategies as st

from write_api.domain.cheep import Cheep
from write_api.domain.errors import CheepIdTaken, CheepNotFound, NotTheAuthor
from write_api.domain.values import CheepText, Identifier

BOB, ALICE = Identifier("a64a52cc-3ee9-4a15-918b-099e18b43119"), Identifier("1fd7d739-2ad7-41a8-8c18-565603e3733f")


def test_a_repeat_is_of_the_first_text():
    """After an edit the first post still passes as a repeat, and the new text does not."""
    cheep = Cheep.posted(Identifier("1"), BOB, CheepText("First"), 1)
    cheep.message = CheepText("Edited")
    cheep.accept_repeat(BOB, CheepText("First"))
    for author, text in ((BOB, "Edited"), (ALICE, "First")):
        with pytest.raises(CheepIdTaken):
            cheep.accept_repeat(author, CheepText(text))


def test_an_answer_is_not_the_post_of_the_same_text():
    """Nor the answer to another cheep."""
    one, other = Identifier("1"), Identifier("2")
    post, answer = (Cheep.posted(Identifier("3"), BOB, CheepText("Hi"), 1, parent) for parent in (None, one))
    post.accept_repeat(BOB, CheepText("Hi"))
    answer.accept_repeat(BOB, CheepText("Hi"), one)
    for cheep, parent in ((post, one), (answer, None), (answer, other)):
        with pytest.raises(CheepIdTaken):
            cheep.accept_repeat(BOB, CheepText("Hi"), parent)


@given(
    st.lists(
        st.tuples(st.sampled_from([BOB, ALICE]), st.sampled_from(["First", "Second", None]), st.integers(0, 50)),
        max_size=8,
    )
)
def test_a_cheep_is_what_its_author_did_last(acts):
    """Against a plain account of edits and deletions (none): only Bob's count, and after a deletion nothing does.
    No time is before that of the post.
    """
    cheep = Cheep.posted(Identifier("1"), BOB, CheepText("First"), 10)
    text, edited, deleted = "First", None, None
    for author, message, now in acts:
        try:
            done = cheep.delete(author, now) if message is None else cheep.edit(author, CheepText(message), now)
        except NotTheAuthor:
            assert author == ALICE
            continue
        except CheepNotFound:
            assert deleted is not None
            assert message is not None
            continue
        assert author == BOB
        if message is None:
            assert (done is None) == (deleted is not None)
            deleted = deleted or max(now, 10)
        else:
            assert deleted is None
            assert (done is None) == (message == text)
            text, edited = message, edited if done is None else max(now, 10)
        assert (cheep.message, cheep.edited_at, cheep.deleted_at) == (text, edited, deleted)
