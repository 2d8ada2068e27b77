import pytest

from cheeper_contracts.events.command_handled import CommandHandled
from projector.messages.decoding import decode


def changed(message, helpers, **parts):
    names = ("partition", "offset", "key", "headers", "value")
    return helpers.FakeMessage(**{name: parts.get(name, getattr(message, name)()) for name in names})


def test_a_whole_message_is_decoded(story, author):
    """Event, envelope and sequence come out as they went in."""
    published = story.signed(author())
    incoming = decode(published.message)
    assert (incoming.event, incoming.envelope, incoming.sequence) == (published.event, published.envelope, 1)
    assert incoming.poison is None


def test_an_unknown_type_is_no_poison(story, author, helpers):
    """A newer version's event is skipped by rule, with its sequence."""
    published = story.signed(author())
    headers = [(n, b"cheeper.something-new.v1" if n == "ce_type" else v) for n, v in published.message.headers()]
    incoming = decode(changed(published.message, helpers, headers=headers))
    assert (incoming.event, incoming.poison, incoming.sequence) == (None, None, 1)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"value": b"{"}, "cheeper.command-handled.v1"),
        ({"value": None}, "cheeper.command-handled.v1"),
        ({"value": b"\xff\xfe"}, "cheeper.command-handled.v1"),
        ({"headers": None}, "ce_specversion"),
        ({"key": b"another"}, "keys differ"),
        ({"key": None}, "keys differ"),
    ],
)
def test_what_cannot_be_read_is_poison(story, helpers, parts, why):
    """Each kind of unreadable message has its reason, and raises nothing."""
    published = story.add(CommandHandled(command_type="t", command_key="key"))
    incoming = decode(changed(published.message, helpers, **parts))
    assert incoming.event is None
    assert why in incoming.poison


@pytest.mark.parametrize("sequence", [None, b"", b"0", b"-1", b"x", b"1" * 5000, "\u0661".encode()])
def test_a_message_without_a_sequence_is_poison(story, helpers, sequence):
    """A missing or impossible sequence cannot be applied, whatever else the message holds."""
    published = story.add(CommandHandled(command_type="t", command_key="key"))
    headers = [(n, v) for n, v in published.message.headers() if n != "ce_sequence"]
    if sequence is not None:
        headers.append(("ce_sequence", sequence))
    incoming = decode(changed(published.message, helpers, headers=headers))
    assert incoming.sequence is None
    assert incoming.poison


def test_poison_keeps_its_sequence_where_it_can_be_read(story):
    """A broken envelope with a good sequence moves the checkpoint like any other message."""
    published = story.add(CommandHandled(command_type="t", command_key="key"), headers=[("ce_sequence", b"1")])
    incoming = decode(published.message)
    assert incoming.poison
    assert incoming.sequence == 1
