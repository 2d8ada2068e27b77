"""The worker's decoding of messages from `cheeper.commands`."""

import msgspec
import pytest

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.dead_letters import MALFORMED, UNKNOWN_TYPE
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer.message import ConsumedMessage, DeadLetter
from write_api.consumer.worker import decode

AUTHOR = "00000000-0000-4000-8000-00000000000a"
ID = "01a20637-0000-7000-8000-000000000001"
POST = PostCheep(cheep_id=ID, author_id=AUTHOR, message="Hello")
ENVELOPE = Envelope(message_id=ID, type=PostCheep.TYPE, source="/t", time=1, key=AUTHOR, correlation_id=ID)


def message(envelope=ENVELOPE, value=None, key=AUTHOR, headers=None):
    return ConsumedMessage(
        topic="cheeper.commands",
        partition=1,
        offset=7,
        key=key,
        headers=to_headers(envelope) if headers is None else headers,
        value=codec.encode(POST) if value is None else value,
    )


def test_a_command_is_read_with_its_envelope():
    """The decoded command equals the one that was sent."""
    assert decode(message()) == (ReceivedCommand(command=POST, envelope=ENVELOPE),)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (message(headers=[]), MALFORMED),
        (message(headers=[("ce_specversion", b"\xff")]), MALFORMED),
        (message(value=b"{"), MALFORMED),
        (message(value=b'"\xff"'), MALFORMED),
        (message(value=b'{"cheep_id": 1}'), MALFORMED),
        (message(key="another"), MALFORMED),
        (message(key=None), MALFORMED),
        (message(msgspec.structs.replace(ENVELOPE, message_id="none")), MALFORMED),
        (message(msgspec.structs.replace(ENVELOPE, reply_to="none")), MALFORMED),
        (message(msgspec.structs.replace(ENVELOPE, type="cheeper.sing.v1")), UNKNOWN_TYPE),
    ],
)
def test_what_is_no_command_becomes_a_dead_letter_with_the_reason(broken, reason):
    """No message that a producer can send raises an error."""
    letter = decode(broken)
    assert isinstance(letter, DeadLetter)
    assert (letter.message, letter.reason) == (broken, reason)
    assert letter.error
