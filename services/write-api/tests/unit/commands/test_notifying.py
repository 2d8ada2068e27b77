"""The three commands that notify, each through the bus over a write model in memory."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cheeper_contracts.commands.notify_author_about_answer import NotifyAuthorAboutAnswer
from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.kafka.envelope import Envelope
from write_api.bus.bus import CommandBus
from write_api.bus.ids import new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.features import HANDLERS
from write_api.process_managers.notify_author_about_new_follower import (
    notify_author_about_new_follower as follow_from,
)
from write_api.testing import MemoryTransactions

BOB, ALICE, CHEEP, CAROL = (f"00000000-0000-4000-8000-00000000000{n}" for n in "abcd")
HOUR = 3600 * 1_000_000
NOTIFICATION = "00000000-0000-4000-8000-0000000000ff"
WELCOME = WelcomeAuthor(notification_id=NOTIFICATION, author_id=BOB)
FOLLOWED = NotifyAuthorAboutNewFollower(notification_id=NOTIFICATION, author_id=BOB, follower_id=ALICE)
ANSWERED = NotifyAuthorAboutAnswer(notification_id=NOTIFICATION, author_id=BOB, cheep_id=CHEEP, answered_by=ALICE)


class World:
    """A bus on which two authors have signed up and one has posted."""

    def __init__(self):
        self.transactions, self.now = MemoryTransactions(clock=lambda: self.now), 7
        self.bus = CommandBus(self.transactions.begin, lambda: None, HANDLERS, source="/t")

    async def handle(self, command):
        """The one message that the command leaves."""
        message_id = new_id()
        envelope = Envelope(
            message_id=message_id, type=command.TYPE, source="/t", time=1, key=command.key, correlation_id=message_id
        )
        await self.bus.handle([ReceivedCommand(command=command, envelope=envelope)])
        return self.transactions.tables.outbox[-1].event


@pytest.fixture
async def world():
    return await signed_up()


async def signed_up():
    world = World()
    for author_id in (BOB, ALICE, CAROL):
        await world.handle(SignUp(author_id=author_id, username=f"u{author_id[-1]}", email=f"{author_id}@example.com"))
    await world.handle(PostCheep(cheep_id=CHEEP, author_id=ALICE, message="Hello"))
    return world


@pytest.mark.parametrize(
    ("command", "kind", "more"),
    [
        (WELCOME, "welcome", {}),
        (FOLLOWED, "new_follower", {"from_author_id": ALICE}),
        (ANSWERED, "answer", {"from_author_id": ALICE, "cheep_id": CHEEP}),
    ],
)
async def test_an_author_is_notified_once(world, command, kind, more):
    """The event carries all that a reader needs; a second notification with its id changes nothing."""
    notified = AuthorNotified(notification_id=NOTIFICATION, author_id=BOB, kind=kind, notified_at=7, **more)
    assert await world.handle(command) == notified
    assert await world.handle(command) == CommandHandled(command_type=command.TYPE, command_key=BOB)


@given(steps=st.lists(st.tuples(st.integers(0, 30 * HOUR), st.integers(0, 90 * HOUR)), max_size=12))
@settings(max_examples=25, deadline=None)
def test_a_follower_causes_one_notification_in_24_hours(steps):
    """Whoever follows and unfollows in a loop leads to a notification only where the last follow that did so is 24
    hours old, however late each is handled; and another follower to one of their own.
    """
    asyncio.run(follow_on_and_off(steps))


async def follow_on_and_off(steps):
    world, last, at = await signed_up(), None, 7
    for wait, delay in steps:
        at += wait
        world.now = max(world.now, at + delay)
        notified = await world.handle(notification_of(ALICE, at))
        expected = last is None or at - last >= 24 * HOUR
        assert (notified.notified_at == at) if expected else isinstance(notified, CommandHandled)
        last = at if expected else last
    assert isinstance(await world.handle(notification_of(CAROL, at)), AuthorNotified)


@given(
    waits=st.lists(st.integers(0, 30 * HOUR), max_size=8),
    late=st.integers(0, 900 * HOUR),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=25, deadline=None)
def test_follows_that_are_redelivered_notify_of_nothing_more(waits, late, order):
    """Commands whose records were deleted, as after their retention, change nothing in any order and at any time."""
    asyncio.run(redeliver(waits, late, order))


async def redeliver(waits, late, order):
    world = await signed_up()
    commands = [notification_of(ALICE, 7 + sum(waits[:number])) for number in range(len(waits) + 1)]
    for command in commands:
        await world.handle(command)
    world.now += late
    order.shuffle(commands)
    for command in commands:
        assert isinstance(await world.handle(command), CommandHandled)


async def test_a_command_without_the_time_of_the_follow_counts_from_when_it_is_handled(world):
    """A command from before the field existed is handled as it was then."""
    world.now = 9
    assert (await world.handle(FOLLOWED)).notified_at == 9


def notification_of(follower, at):
    """The process manager's command for a follow at that time."""
    event = AuthorFollowed(follow_id=new_id(), from_author_id=follower, to_author_id=BOB, followed_at=at)
    envelope = Envelope(message_id=new_id(), type=event.TYPE, source="/t", time=at, key=BOB, correlation_id=new_id())
    return follow_from(event, envelope)


@pytest.mark.parametrize(
    "command",
    [
        WelcomeAuthor(notification_id=NOTIFICATION, author_id=new_id()),
        NotifyAuthorAboutNewFollower(notification_id=NOTIFICATION, author_id=new_id(), follower_id=ALICE),
        NotifyAuthorAboutAnswer(notification_id=NOTIFICATION, author_id=new_id(), cheep_id=CHEEP, answered_by=ALICE),
    ],
)
async def test_no_unknown_author_is_notified(world, command):
    """The command is rejected, as any that is about an unknown author."""
    rejected = await world.handle(command)
    assert isinstance(rejected, CommandRejected)
    assert rejected.code == "author_not_found"
