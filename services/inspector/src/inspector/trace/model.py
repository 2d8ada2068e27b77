"""The trace as the API shows it. Times are microseconds since the epoch, and None if nothing holds them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

State = Literal["handled", "rejected", "waiting", "parked", "unknown"]
"""Of a command: `waiting` is accepted and not handled yet, and `unknown` is one of which too little is left."""
Progress = Literal["applied", "waiting", "parked", "unknown"]
"""Of an event in a store: `waiting` is in the topic and not applied yet."""
Kind = Literal["command", "event", "author", "cheep", "unknown"]


class Place(msgspec.Struct, frozen=True):
    """The place of a message in Kafka, and the time that Kafka keeps with it."""

    topic: str
    partition: int
    offset: int
    at: int | None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a command. `waited` is the time since the step before it, whose end is `at` of that step; None if one
    of the two is not known. `during` says where that time was spent.
    """

    name: str
    at: int | None
    waited: int | None = None
    during: str | None = None


class Row(msgspec.Struct, frozen=True):
    """A row of the write model as it is now, without personal data; None if it does not exist."""

    table: str
    id: str
    now: dict[str, Any] | None


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """A command's transaction: its id in PostgreSQL, its row in the outbox, and the rows that it wrote."""

    xid: int
    began_at: int | None
    outbox: tuple[int, int, int] | None
    """Epoch, transaction and id of the outbox's row; None if it is gone."""
    relayed: bool | None
    rows: tuple[Row, ...] = ()


class View(msgspec.Struct, frozen=True):
    """A key or a document that the event's projections write, as it is now; None if it does not exist."""

    name: str
    holds: str
    now: Any


class StoreTrace(msgspec.Struct, frozen=True, kw_only=True):
    """The part of one store in the trace of an event.

    `behind` is the number of messages up to this one that are not applied yet, `error` says
    why the message is parked, and `tasks` is the number of the key's fan-out tasks that still run.
    """

    store: str
    progress: Progress
    generation: int | None = None
    behind: int | None = None
    error: str | None = None
    tasks: int = 0
    views: tuple[View, ...] = ()


class EventTrace(msgspec.Struct, frozen=True, kw_only=True):
    """The event of a command. `queries` are the paths whose responses show it, and `commands` what process managers
    made of it.
    """

    message_id: str
    type: str
    key: str
    time: int
    source: str
    correlation_id: str
    sequence: int | None
    content: dict[str, Any] | None
    place: Place | None
    stores: tuple[StoreTrace, ...] = ()
    queries: tuple[str, ...] = ()
    commands: tuple[CommandTrace, ...] = ()


class CommandTrace(msgspec.Struct, frozen=True, kw_only=True):
    """A command with all that followed from it. `notes` are sentences about what is gone or was not found."""

    message_id: str
    state: State
    type: str | None = None
    key: str | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    actor: str | None = None
    content: dict[str, Any] | None = None
    place: Place | None = None
    changed: bool | None = None
    code: str | None = None
    message: str | None = None
    transaction: Transaction | None = None
    event: EventTrace | None = None
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """An event that names an author or a cheep. `command_id` is the id to trace it by."""

    message_id: str
    type: str
    time: int
    key: str
    command_id: str | None
    place: Place


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The response: what the id is, the tree of the command that began it all, or the events that name it.

    `unavailable` has a sentence for each server that did not respond; the rest of the trace is shown all the same.
    """

    id: str
    kind: Kind
    tree: CommandTrace | None = None
    mentions: tuple[Mention, ...] = ()
    unavailable: dict[str, str] = {}
    notes: tuple[str, ...] = ()
