from pathlib import Path

import pytest

from cheeper_contracts import codec
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.envelope import from_headers, to_headers

GOLDEN = sorted((Path(__file__).parents[2] / "examples").glob("*.message"))


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
def test_golden_bytes_round_trip(path):
    """What was once written is still read, and written the same, envelope and value."""
    headers, value = read_golden(path)
    envelope = from_headers(headers)
    message = decode(envelope.type, value)
    assert codec.encode(message) == value
    assert to_headers(envelope) == headers
    assert message.key == envelope.key
    assert envelope.type == message.TYPE


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_an_unknown_field_is_passed_over(path):
    """A consumer outlives a field that a newer producer adds."""
    headers, value = read_golden(path)
    newer = value[:-1] + b',"a_field_of_the_future":1}'
    assert decode(from_headers(headers).type, newer) == decode(from_headers(headers).type, value)


def test_an_unknown_type_is_an_error_of_its_own():
    """An unknown type is told from a malformed message, since consumers skip the one and park the other."""
    with pytest.raises(codec.UnknownMessageTypeError, match=r"cheeper\.nothing\.v1"):
        codec.decode_event("cheeper.nothing.v1", b"{}")


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"follow_id": 1}', b"\xff", b"{}", b'{"a":' * 100_000])
def test_a_malformed_value_names_its_type(value):
    """A value that is not what its type promises is malformed, whatever is wrong with it."""
    with pytest.raises(codec.MalformedMessageError, match=Follow.TYPE):
        codec.decode_command(Follow.TYPE, value)
