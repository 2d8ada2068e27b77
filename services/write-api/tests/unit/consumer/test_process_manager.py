"""The decoding of events into commands."""

from pathlib import Path

import msgspec
import pytest

from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.dead_letters import CRASHED, MALFORMED
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from write_api.bus.ids import made_for
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer.message import ConsumedMessage, DeadLetter
from write_api.consumer.process_manager import EventDecoder
from write_api.process_managers import PROCESS_MANAGERS

pytestmark = pytest.mark.proves(guarantee="contracts")

EXAMPLES = Path(__file__).parents[5] / "contracts" / "examples"
AUTHOR = "00000000-0000-4000-8000-00000000000a"
ID, COMMAND_ID = "01a20637-0000-7000-8000-000000000001", "01a20637-0000-7000-8000-000000000002"
SIGNED = NewAuthorSigned(author_id=AUTHOR, username="bob", signed_up_at=1)
ENVELOPE = Envelope(
    message_id=ID,
    type=SIGNED.TYPE,
    source="/write-api/http",
    time=1_647_292_130_123_456,
    key=AUTHOR,
    correlation_id=COMMAND_ID,
    reply_to=COMMAND_ID,
    sequence=1,
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)


def message(event=SIGNED, value=None, key=AUTHOR, written_as=None, **given):
    envelope = msgspec.structs.replace(ENVELOPE, type=written_as or event.TYPE, **({"key": event.key} | given))
    return ConsumedMessage(
        topic="cheeper.events",
        partition=1,
        offset=7,
        key=key,
        headers=to_headers(envelope),
        value=codec.encode(event) if value is None else value,
    )


@pytest.fixture
def decoder():
    return EventDecoder(PROCESS_MANAGERS, "/pm")


def test_a_command_is_a_reply_to_its_event(decoder):
    """Its envelope has the event's correlation, and is the same, to the byte, whenever the event is redelivered."""
    welcome = WelcomeAuthor(notification_id=made_for(ID, "notification_id"), author_id=AUTHOR)
    envelope = Envelope(
        message_id=made_for(ID, WelcomeAuthor.TYPE),
        type=WelcomeAuthor.TYPE,
        source="/pm",
        time=ENVELOPE.time,
        key=AUTHOR,
        correlation_id=COMMAND_ID,
        reply_to=ID,
        traceparent=ENVELOPE.traceparent,
        actor="system",
    )
    assert decoder.decode(message()) == (ReceivedCommand(command=welcome, envelope=envelope),)
    assert decoder.decode(message()) == decoder.decode(message())


def test_most_events_lead_to_nothing(decoder):
    """No process manager reacts to a post."""
    post = CheepPosted(cheep_id=ID, author_id=AUTHOR, author_username="bob", message="Hello", cheep_date=1)
    assert decoder.decode(message(post)) == ()


@pytest.mark.parametrize("event_type", sorted(codec.EVENT_TYPES))
def test_every_version_of_every_event_is_read(decoder, event_type):
    """The golden bytes of each lead to the same commands as the event's current version, and none is parked."""
    value = (EXAMPLES / f"{event_type}.message").read_bytes().partition(b"\n\n")[2]
    event = codec.decode_event(event_type, value)
    follows = decoder.decode(message(event, value, key=event.key, written_as=event_type))
    assert follows == decoder.decode(message(event, key=event.key))
    assert len(follows) == len(PROCESS_MANAGERS.get(type(event), ()))


def test_an_unknown_type_is_skipped(decoder):
    """A newer version wrote it, and decides what follows from it."""
    unknown = message()
    unknown.headers[:] = [(name, b"cheeper.sang.v1" if name == "ce_type" else value) for name, value in unknown.headers]
    assert decoder.decode(unknown) == ()


@pytest.mark.parametrize(
    "broken",
    [
        message(value=b"{"),
        message(value=b'{"author_id": 1}'),
        message(key="another"),
        message(message_id="none"),
        ConsumedMessage(topic="t", partition=0, offset=0, key=AUTHOR, headers=[], value=b"{}"),
    ],
)
def test_an_unreadable_message_becomes_a_dead_letter(decoder, broken):
    """No message that a producer can send raises an error."""
    letter = decoder.decode(broken)
    assert isinstance(letter, DeadLetter)
    assert (letter.message, letter.reason) == (broken, MALFORMED)
    assert letter.error


def test_a_process_manager_that_crashes_parks_its_event():
    """A defect costs only its own events, and the digest identifies it."""
    letter = EventDecoder({NewAuthorSigned: (lambda event, _: event.nothing,)}, "/pm").decode(message())
    assert isinstance(letter, DeadLetter)
    assert letter.reason == CRASHED
    assert letter.stack_digest
