"""The limit of step mode."""

from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.kafka.envelope import Envelope
from write_api.relay.numbering import Position, Row
from write_api.relay.publication_limit import PublicationLimit


def row(number, type_="t"):
    id_ = str(number)
    return Row(
        Position(1, number, number),
        Envelope(message_id=id_, type=type_, source="/s", time=1, key="k", correlation_id=id_),
        b"{}",
    )


def test_outcomes_go_along_and_do_not_count():
    """A limit of two allows the rows up to the second domain message."""
    rows = [row(1), row(2, CommandHandled.TYPE), row(3), row(4, CommandHandled.TYPE), row(5)]
    limit = PublicationLimit(2)
    assert limit.allowed(rows) == rows[:3]
    limit.count(rows[:2])
    assert (bool(limit), limit.allowed(rows[2:])) == (True, rows[2:3])
    limit.count(rows[2:3])
    assert (bool(limit), limit.allowed(rows[3:])) == (False, [])


def test_without_a_limit_everything_is_allowed():
    """It is true however much was sent."""
    limit, rows = PublicationLimit(None), [row(n) for n in range(5)]
    limit.count(rows)
    assert limit
    assert limit.unlimited
    assert limit.allowed(rows) == rows
