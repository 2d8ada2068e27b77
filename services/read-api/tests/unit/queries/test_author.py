import pytest
from read_api_layout import new_id

from read_api.queries.author import Author
from read_api.query_bus.query import NotFoundError


async def test_a_profile_with_its_counts(documents, ask):
    """A profile has the author's own fields and the counts, as in api.md."""
    author = documents.sign_up(bio="b")
    documents.follow(new_id(), author)
    profile = (await ask(Author(author_id=author))).data
    assert (profile.author_id, profile.username, profile.bio, profile.name) == (author, "bob", "b", None)
    assert profile.signed_up_at == "2022-03-14T21:08:50+00:00"
    assert (profile.followers, profile.following, profile.cheeps) == (1, 0, 0)


async def test_counts_alone_make_no_author(documents, ask):
    """An author with counts but without a sign-up does not exist."""
    documents.follow(new_id(), author := new_id())
    with pytest.raises(NotFoundError) as caught:
        await ask(Author(author_id=author))
    assert (caught.value.code, str(caught.value)) == ("author_not_found", f'Author "{author}" does not exist')
