import msgspec
import pytest
from read_api_layout import AT, new_id

from read_api.queries.notifications import Notifications
from read_api.query_bus.query import NotFoundError


async def test_each_kind_as_it_is(documents, ask):
    """A welcome is about nobody, a new follower about an author, an answer about a cheep too; what is not is absent."""
    author, other, cheep = documents.sign_up(), new_id(), new_id()
    welcome = documents.notify(author, at=AT)
    follower = documents.notify(author, "new_follower", at=AT + 1, from_author_id=other, cheep_id=None)
    answer = documents.notify(author, "answer", at=AT + 1_000_000, from_author_id=other, cheep_id=cheep)
    documents.notify(documents.sign_up())
    at, later = "2022-03-14T21:08:50+00:00", "2022-03-14T21:08:51+00:00"
    assert msgspec.to_builtins((await ask(Notifications(author_id=author))).data) == {
        "notifications": [
            {"notification_id": answer, "kind": "answer", "author_id": other, "cheep_id": cheep, "at": later},
            {"notification_id": follower, "kind": "new_follower", "author_id": other, "at": at},
            {"notification_id": welcome, "kind": "welcome", "at": at},
        ]
    }


async def test_pages_by_cursor(documents, ask):
    """Notifications of one time are in the order of their ids, over pages."""
    author = documents.sign_up()
    made = sorted((documents.notify(author) for _ in range(5)), reverse=True)
    first = await ask(Notifications(author_id=author, size=3))
    last = await ask(Notifications(author_id=author, size=3, cursor=first.next_cursor))
    told = first.data.notifications + last.data.notifications
    assert [notification.notification_id for notification in told] == made
    assert last.next_cursor is None


async def test_nobody(ask, documents):
    """An unknown author was told nothing that could be asked for; one that nobody told anything has an empty list."""
    assert (await ask(Notifications(author_id=documents.sign_up()))).data.notifications == []
    with pytest.raises(NotFoundError) as caught:
        await ask(Notifications(author_id=new_id()))
    assert caught.value.code == "author_not_found"
