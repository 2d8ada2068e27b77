"""The waterfall of a command: its steps in their order, with the waits between them."""

from __future__ import annotations

from typing import Final

import msgspec

from inspector.trace.model import Step


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """The times of a command that the stores and topics hold, in microseconds since the epoch."""

    requested: int | None = None
    sent: int | None = None
    in_commands: int | None = None
    began: int | None = None
    changed: int | None = None
    in_events: int | None = None


_STEPS: Final = (
    ("requested", "the gateway received the request", None),
    ("sent", "the command was made", "on the way to write-api"),
    ("in_commands", "the command was in cheeper.commands", "on the way to Kafka"),
    ("began", "the transaction began", "in cheeper.commands, or on the way to the handler"),
    ("changed", "the handler ran, with all locks", "for the locks of the keys"),
    ("in_events", "the event was in cheeper.events", "in the outbox, for the commit and the relay"),
)


def steps(times: Times) -> tuple[Step, ...]:
    """Return the steps in their order. The wait before a step counts from the last step before it whose time is known;
    it is 0 if the clocks of two servers differ by more than it took.
    """
    found: list[Step] = []
    before: int | None = None
    for field, name, during in _STEPS:
        at: int | None = getattr(times, field)
        waited = None if at is None or before is None else max(0, at - before)
        found.append(Step(name=name, at=at, waited=waited, during=during if waited is not None else None))
        before = before if at is None else at
    return tuple(found)
