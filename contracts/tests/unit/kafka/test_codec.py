from pathlib import Path

import msgspec
import pytest

from cheeper_contracts.catalogue import COMMANDS, EVENTS
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.envelope import from_headers, to_headers

pytestmark = pytest.mark.proves(guarantee="contracts")

EXAMPLES = Path(__file__).parents[3] / "examples"
GOLDEN = sorted(EXAMPLES.glob("*.message"))


def read_golden(path):
    head, value = path.read_bytes().split(b"\n\n", 1)
    lines = (line.split(b": ", 1) for line in head.splitlines())
    return [(name.decode(), content) for name, content in lines], value


def decode(type_name, value):
    is_command = type_name in codec.COMMAND_TYPES
    return codec.decode_command(type_name, value) if is_command else codec.decode_event(type_name, value)


def test_every_message_type_has_golden_bytes():
    """Each command and event has one golden file, named by its type."""
    assert {path.name.removesuffix(".message") for path in GOLDEN} == {*codec.COMMAND_TYPES, *codec.EVENT_TYPES}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_what_was_once_written_is_read_as_the_current_version(path):
    """The envelope is written the same again, and the message is its type's current version, with the same key."""
    headers, value = read_golden(path)
    envelope = from_headers(headers)
    message = decode(envelope.type, value)
    assert to_headers(envelope) == headers
    assert message.key == envelope.key
    assert type(message) in {*COMMANDS, *EVENTS}
    assert message.TYPE.rpartition(".v")[0] == envelope.type.rpartition(".v")[0]


def test_an_unfollow_of_version_1_does_not_say_since_when():
    """The field that the first version lacks is None, and the second one's value is kept."""
    decoded = [
        codec.decode_event(type_name, read_golden(EXAMPLES / f"{type_name}.message")[1])
        for type_name in ("cheeper.author-unfollowed.v1", "cheeper.author-unfollowed.v2")
    ]
    assert [event.followed_at for event in decoded] == [None, 1_647_291_250_123_456]
    assert msgspec.structs.replace(decoded[1], followed_at=None) == decoded[0]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_an_unknown_field_is_ignored(path):
    """A consumer outlives a field that a newer producer adds."""
    headers, value = read_golden(path)
    newer = value[:-1] + b',"a_field_of_the_future":1}'
    assert decode(from_headers(headers).type, newer) == decode(from_headers(headers).type, value)


def test_an_unknown_type_is_an_error_of_its_own():
    """An unknown type differs from a malformed message, since consumers skip the one and park the other."""
    with pytest.raises(codec.UnknownMessageTypeError, match=r"cheeper\.nothing\.v1"):
        codec.decode_event("cheeper.nothing.v1", b"{}")


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"follow_id": 1}', b"\xff", b"{}", b'{"a":' * 100_000])
def test_a_malformed_value_names_its_type(value):
    """A value that is not what its type promises is malformed, whatever is wrong with it."""
    with pytest.raises(codec.MalformedMessageError, match=Follow.TYPE):
        codec.decode_command(Follow.TYPE, value)
