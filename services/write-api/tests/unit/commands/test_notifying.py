"""The three commands that notify, each through the bus over a write model in memory."""

import pytest

from cheeper_contracts.commands.notify_author_about_answer import NotifyAuthorAboutAnswer
from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.kafka.envelope import Envelope
from write_api.bus.bus import CommandBus
from write_api.bus.ids import new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.features import HANDLERS
from write_api.testing import MemoryTransactions

BOB, ALICE, CHEEP = (f"00000000-0000-4000-8000-00000000000{n}" for n in "abc")
NOTIFICATION = "00000000-0000-4000-8000-0000000000ff"
WELCOME = WelcomeAuthor(notification_id=NOTIFICATION, author_id=BOB)
FOLLOWED = NotifyAuthorAboutNewFollower(notification_id=NOTIFICATION, author_id=BOB, follower_id=ALICE)
ANSWERED = NotifyAuthorAboutAnswer(notification_id=NOTIFICATION, author_id=BOB, cheep_id=CHEEP, answered_by=ALICE)


class World:
    """A bus on which two authors have signed up and one has posted."""

    def __init__(self):
        self.transactions = MemoryTransactions()
        self.bus = CommandBus(self.transactions.begin, lambda: None, HANDLERS, source="/t", clock=lambda: 7)

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
    world = World()
    for author_id in (BOB, ALICE):
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
async def test_an_author_is_told_once(world, command, kind, more):
    """The event carries all that a reader needs; a second notification with its id changes nothing."""
    told = AuthorNotified(notification_id=NOTIFICATION, author_id=BOB, kind=kind, notified_at=7, **more)
    assert await world.handle(command) == told
    assert await world.handle(command) == CommandHandled(command_type=command.TYPE, command_key=BOB)


@pytest.mark.parametrize(
    "command",
    [
        WelcomeAuthor(notification_id=NOTIFICATION, author_id=new_id()),
        NotifyAuthorAboutNewFollower(notification_id=NOTIFICATION, author_id=new_id(), follower_id=ALICE),
        NotifyAuthorAboutAnswer(notification_id=NOTIFICATION, author_id=new_id(), cheep_id=CHEEP, answered_by=ALICE),
    ],
)
async def test_nobody_is_told_who_has_not_signed_up(world, command):
    """The command is rejected, as any that is about an unknown author."""
    rejected = await world.handle(command)
    assert isinstance(rejected, CommandRejected)
    assert rejected.code == "author_not_found"
