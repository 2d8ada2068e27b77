import msgspec
import pytest
from read_api_layout import AT, new_id

from read_api.queries.notifications import UNREAD_MAX, Notifications
from read_api.query_bus.query import NotFoundError


async def test_each_kind_as_it_is(documents, ask):
    """A welcome has no author, a new follower has one, an answer a cheep too; what is not is absent."""
    author, other, cheep = documents.sign_up(), new_id(), new_id()
    welcome = documents.notify(author, at=AT)
    follower = documents.notify(author, "new_follower", at=AT + 1, from_author_id=other, cheep_id=None)
    answer = documents.notify(author, "answer", at=AT + 1_000_000, from_author_id=other, cheep_id=cheep)
    documents.notify(documents.sign_up())
    at, later = "2022-03-14T21:08:50+00:00", "2022-03-14T21:08:51+00:00"
    assert msgspec.to_builtins((await ask(Notifications(author_id=author))).data) == {
        "notifications": [
            {
                "notification_id": answer,
                "kind": "answer",
                "author_id": other,
                "cheep_id": cheep,
                "at": later,
                "read": False,
            },
            {"notification_id": follower, "kind": "new_follower", "author_id": other, "at": at, "read": False},
            {"notification_id": welcome, "kind": "welcome", "at": at, "read": False},
        ]
    }


async def test_who_and_what_have_their_current_texts(documents, ask):
    """The username of who caused a notification and the message of the answer come with it, while they are there."""
    author, other = documents.sign_up(), documents.sign_up(username="alice")
    answers = [documents.post(other, text, parent=documents.post(author)) for text in ("Hello back", "Oh")]
    documents.notify(author, at=AT)
    documents.notify(author, "new_follower", at=AT + 1, from_author_id=other)
    for number, answer in enumerate(answers):
        documents.notify(author, "answer", at=AT + 2 + number, from_author_id=other, cheep_id=answer)
    documents.delete(answers[1])
    shown = (await ask(Notifications(author_id=author))).data.notifications
    texts = [(each.kind, each.author_username, each.cheep_message) for each in shown]
    assert texts == [
        ("answer", "alice", None),
        ("answer", "alice", "Hello back"),
        ("new_follower", "alice", None),
        ("welcome", None, None),
    ]


async def test_pages_by_cursor(documents, ask):
    """Notifications of one time are in the order of their ids, over pages."""
    author = documents.sign_up()
    made = sorted((documents.notify(author) for _ in range(5)), reverse=True)
    first = await ask(Notifications(author_id=author, size=3))
    last = await ask(Notifications(author_id=author, size=3, cursor=first.next_cursor))
    shown = first.data.notifications + last.data.notifications
    assert [notification.notification_id for notification in shown] == made
    assert last.next_cursor is None


async def test_an_unknown_author(ask, documents):
    """An unknown author is not found; one without notifications has an empty list."""
    assert (await ask(Notifications(author_id=documents.sign_up()))).data.notifications == []
    with pytest.raises(NotFoundError) as caught:
        await ask(Notifications(author_id=new_id()))
    assert caught.value.code == "author_not_found"


async def test_whom_the_author_mutes_leaves_no_hole(documents, ask):
    """A page is full of what others caused, pages continue where they ended, and all is back after the mute's end."""
    author, loud, other = documents.sign_up(), documents.sign_up(), documents.sign_up()
    about = {"kind": "new_follower", "cheep_id": None}
    made = [documents.notify(author, at=AT)]
    for number in range(1, 5):
        made.append(documents.notify(author, at=AT + 50 * number, from_author_id=other, **about))
        for gap in range(1, 30):
            documents.notify(author, at=AT + 50 * number + gap, from_author_id=loud, **about)
    documents.mute(author, loud)
    documents.mute(other, author)
    first = await ask(Notifications(author_id=author, size=3))
    last = await ask(Notifications(author_id=author, size=3, cursor=first.next_cursor))
    shown = [[each.notification_id for each in page.data.notifications] for page in (first, last)]
    assert shown == [made[:1:-1], made[1::-1]]
    assert last.next_cursor is None
    documents.unmute(author, loud)
    assert {each.author_id for each in (await ask(Notifications(author_id=author))).data.notifications} == {loud}


@pytest.mark.parametrize("blocks", [True, False], ids=["blocks", "is blocked"])
async def test_a_block_hides_what_either_caused(documents, ask, blocks):
    """The other one's notifications are hidden from both, no others are, and all are back after the block's end."""
    author, other = documents.sign_up(), documents.sign_up()
    welcome = documents.notify(author)
    documents.notify(author, "new_follower", at=AT + 1, from_author_id=other, cheep_id=None)
    pair = (author, other) if blocks else (other, author)
    documents.block(*pair)
    shown = (await ask(Notifications(author_id=author))).data.notifications
    assert [each.notification_id for each in shown] == [welcome]
    documents.unblock(*pair)
    assert len((await ask(Notifications(author_id=author))).data.notifications) == 2


async def test_what_was_marked_and_all_older_ones_are_read(documents, ask):
    """The mark is a place in the list's order, also among notifications of one time; the first page counts the rest."""
    author = documents.sign_up()
    made = sorted((documents.notify(author) for _ in range(4)), reverse=True)
    newest = documents.notify(author, at=AT + 1)
    assert (await ask(Notifications(author_id=author))).unread == 5
    documents.read_until(author, made[1])
    first = await ask(Notifications(author_id=author, size=3))
    last = await ask(Notifications(author_id=author, size=3, cursor=first.next_cursor))
    shown = [(each.notification_id, each.read) for page in (first, last) for each in page.data.notifications]
    assert shown == [(newest, False), (made[0], False), *((each, True) for each in made[1:])]
    assert (first.unread, last.unread) == (2, None)
    documents.read_until(author, newest, at=AT + 1)
    assert (await ask(Notifications(author_id=author))).unread == 0


async def test_the_count_of_unread_ones_is_bounded_and_has_no_hidden_ones(documents, ask):
    """Only the newest are counted, and of these none that a mute or a block hides."""
    author, loud, rude = documents.sign_up(), documents.sign_up(), documents.sign_up()
    for number in range(UNREAD_MAX + 5):
        documents.notify(author, at=AT + number)
    assert (await ask(Notifications(author_id=author))).unread == UNREAD_MAX
    documents.mute(author, loud)
    documents.block(rude, author)
    for number, other in enumerate((loud, rude, loud)):
        documents.notify(author, "new_follower", at=AT + 100 + number, from_author_id=other, cheep_id=None)
    assert (await ask(Notifications(author_id=author))).unread == UNREAD_MAX - 3
