"""The process managers: pure functions, and the table of which event has which."""

from pathlib import Path

import msgspec
import pytest

from cheeper_contracts.catalogue import COMMANDS
from cheeper_contracts.commands.end_follow_of_blocked import EndFollowOfBlocked
from cheeper_contracts.commands.notify_author_about_answer import NotifyAuthorAboutAnswer
from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.envelope import Envelope
from write_api import process_managers as processes
from write_api.bus.ids import made_for
from write_api.features import FEATURES
from write_api.process_managers import PROCESS_MANAGERS

BOB, ALICE, CHEEP, PARENT = (f"00000000-0000-4000-8000-00000000000{n}" for n in "abcd")
EVENT_ID = "01a20637-0000-7000-8000-000000000001"
NOTIFICATION = made_for(EVENT_ID, "notification_id")

SIGNED = NewAuthorSigned(author_id=BOB, username="bob", signed_up_at=1)
FOLLOWED = AuthorFollowed(follow_id=CHEEP, from_author_id=ALICE, to_author_id=BOB, followed_at=1)
ANSWERED = CheepAnswered(
    cheep_id=CHEEP,
    author_id=ALICE,
    author_username="alice",
    message="Hello",
    cheep_date=1,
    in_reply_to=PARENT,
    parent_author_id=BOB,
)
BLOCKED = AuthorBlocked(author_id=BOB, blocked_id=ALICE, blocked_at=1, follow_id=None)
EXAMPLES = (SIGNED, FOLLOWED, ANSWERED, BLOCKED)


def follow_from(event):
    envelope = Envelope(
        message_id=EVENT_ID, type=event.TYPE, source="/t", time=1, key=event.key, correlation_id=EVENT_ID
    )
    return [manager(event, envelope) for manager in PROCESS_MANAGERS[type(event)]]


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (SIGNED, WelcomeAuthor(notification_id=NOTIFICATION, author_id=BOB)),
        (
            FOLLOWED,
            NotifyAuthorAboutNewFollower(
                notification_id="20a81f8c-0150-5e84-8e86-6fe51e2e7d3a",
                author_id=BOB,
                follower_id=ALICE,
                previous_notification_id="90f107c2-73dc-5d41-a5e9-ad5f46484b9c",
                followed_at=FOLLOWED.followed_at,
            ),
        ),
        (
            ANSWERED,
            NotifyAuthorAboutAnswer(notification_id=NOTIFICATION, author_id=BOB, cheep_id=CHEEP, answered_by=ALICE),
        ),
        (BLOCKED, EndFollowOfBlocked(from_author_id=BOB, to_author_id=ALICE, blocked_at=1)),
    ],
)
def test_an_event_makes_a_command_whose_id_derives_from_it(event, command):
    """The same event leads to the same command, whenever it is redelivered."""
    assert follow_from(event) == [command]
    assert follow_from(codec.decode_event(event.TYPE, codec.encode(event))) == [command]


def test_all_follows_of_a_pair_on_one_day_are_one_notification():
    """The next day's is another one, which names it as the one before; another pair has others."""

    def ids(**changed):
        (command,) = follow_from(msgspec.structs.replace(FOLLOWED, **changed))
        return command.previous_notification_id, command.notification_id

    day = 24 * 3600 * 1_000_000
    assert ids(followed_at=5 * day) == ids(followed_at=6 * day - 1, follow_id=PARENT)
    assert ids(followed_at=6 * day)[0] == ids(followed_at=5 * day)[1]
    assert not {*ids(followed_at=5 * day)} & {*ids(followed_at=5 * day, from_author_id=CHEEP)}


def test_an_author_who_answers_its_own_cheep_is_not_notified():
    """No author needs a notification about its own action."""
    assert follow_from(msgspec.structs.replace(ANSWERED, author_id=BOB)) == [None]


def test_every_process_manager_has_a_file_and_a_row():
    """The list of files is the list of process managers: none is missing in the table."""
    files = {path.stem for path in Path(processes.__file__).parent.glob("[!_]*.py")}
    assert files == {manager.__name__ for managers in PROCESS_MANAGERS.values() for manager in managers}


def test_commands_without_an_endpoint_come_from_process_managers():
    """Each command has an endpoint or a process manager, and no event makes two commands of one type, whose ids would
    be the same.
    """
    made = {type(event): [type(command) for command in follow_from(event)] for event in EXAMPLES}
    assert set(made) == set(PROCESS_MANAGERS)
    assert all(len(set(commands)) == len(commands) for commands in made.values())
    endpoints = {feature.command: feature.endpoint for feature in FEATURES}
    from_events = {command for commands in made.values() for command in commands}
    assert from_events == {command for command in COMMANDS if endpoints[command] is None}
