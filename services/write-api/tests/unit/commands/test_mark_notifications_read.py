"""MarkNotificationsRead over a write model in memory."""

import pytest

from cheeper_contracts.commands.mark_notifications_read import MarkNotificationsRead
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.events.notifications_read import NotificationsRead
from write_api.commands.mark_notifications_read import mark_notifications_read
from write_api.commands.sign_up import sign_up
from write_api.domain.errors import AuthorNotFound, NotificationNotFound
from write_api.domain.notification import Notification
from write_api.testing import MemoryUnitOfWork, Tables

BOB, ALICE = "a64a52cc-3ee9-4a15-918b-099e18b43119", "1fd7d739-2ad7-41a8-8c18-565603e3733f"
NOBODY = "00000000-0000-4000-8000-000000000000"
OLD, ONE, OTHER, NEW, ALICES = (f"00000000-0000-4000-8000-00000000001{number}" for number in range(5))


@pytest.fixture
async def work():
    """Alice and Bob have signed up, Bob has four notifications, two of which are of one time, and Alice has one."""
    unit = MemoryUnitOfWork(Tables(), now=9)
    for name, author_id in (("bob", BOB), ("alice", ALICE)):
        await sign_up(SignUp(author_id=author_id, username=name, email=f"{name}@example.com"), unit, 1)
    for author_id, notification_id, at in (
        (BOB, OLD, 2),
        (BOB, ONE, 3),
        (BOB, OTHER, 3),
        (BOB, NEW, 4),
        (ALICE, ALICES, 3),
    ):
        fields = {"notification_id": notification_id, "author_id": author_id}
        await unit.notifications.save(Notification.of("welcome", fields, at))
    return unit


async def marked(work, notification_id, author_id=BOB):
    """The event of a mark."""
    command = MarkNotificationsRead(author_id=author_id, notification_id=notification_id)
    return await mark_notifications_read(command, work, 9)


async def test_a_mark_moves_forward_alone(work):
    """A mark on what is read changes nothing; among notifications of one time the ids decide, as in the list."""
    event = await marked(work, ONE)
    assert event == NotificationsRead(author_id=BOB, notification_id=ONE, notified_at=3, read_at=9)
    assert event.key == BOB
    assert [await marked(work, each) for each in (ONE, OLD)] == [None, None]
    assert (await marked(work, OTHER)).notification_id == OTHER
    assert (await marked(work, NEW)).notified_at == 4
    assert await marked(work, OTHER) is None


@pytest.mark.parametrize("notification_id", [ALICES, NOBODY], ids=["another one's", "nobody's"])
async def test_a_notification_is_of_its_author(work, notification_id):
    """A notification of another author is refused like one that does not exist."""
    with pytest.raises(NotificationNotFound, match=f'"{notification_id}" does not exist'):
        await marked(work, notification_id)


async def test_the_author_must_have_signed_up(work):
    """An author who is unknown has read nothing."""
    with pytest.raises(AuthorNotFound):
        await marked(work, ONE, author_id=NOBODY)
