"""GET /command/{message_id}, from Redis and MongoDB, both asked at once.

The status only ever moves forward: accepted, handled, projected; or accepted, rejected. Each store's record does, and
when the records lapse is decided by one clock for both, so that no status goes back because one store was faster to
forget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import time
from typing import Final, Literal, Protocol

import msgspec

from cheeper_contracts.views import COMMAND_RECORD_SECONDS, AcceptedCommand, CommandRecord, whole_seconds
from read_api.query_bus.query import Found, NotFoundError, Query
from read_api.query_bus.read_your_writes import Waiter

LAPSE_SECONDS: Final = 60
"""How long before the stores drop a record it is not shown any more: more than their clocks differ."""

Status = Literal["accepted", "handled", "rejected", "projected"]


class Command(Query, frozen=True, kw_only=True):
    """What became of a command?"""

    message_id: str


class CommandStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer. `changed` is there once it is known, `code` and `message` say why a command was rejected; `at` is
    when it came to what the records say: the time that it was sent, or settled.
    """

    status: Status
    type: str
    at: str
    changed: bool | None = None
    code: str | None = None
    message: str | None = None


class HotCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What Redis says of a command: its record, or while it has none that it was accepted; whether its effects are in
    all views there, fan-out included, and whether `after` is settled likewise.
    """

    record: CommandRecord | None
    accepted: AcceptedCommand | None
    effects_in: bool
    settled: bool


class HotCommands(Protocol):
    """The view of commands in Redis."""

    async def command(self, message_id: str, *, after: str | None) -> HotCommand:
        """What became of a command. Raises StoreAwayError."""


class CommandDocuments(Protocol):
    """The view of commands in MongoDB."""

    async def record(self, message_id: str, *, after: str | None) -> tuple[CommandRecord | None, bool]:
        """The record of a command that is settled, and whether `after` is in MongoDB. Raises StoreAwayError."""


class ShowCommand:
    """Answers Command."""

    def __init__(
        self, hot: HotCommands, documents: CommandDocuments, waiter: Waiter, clock: Callable[[], float] = time
    ) -> None:
        self._hot = hot
        self._documents = documents
        self.waiter = waiter
        self._clock = clock

    async def look(self, query: Command) -> Found[CommandStatus]:
        """What became of the command until now."""
        hot, (document, settled) = await asyncio.gather(
            self._hot.command(query.message_id, after=query.after),
            self._documents.record(query.message_id, after=query.after),
        )
        told = _status(hot, document, lapsed=(self._clock() - COMMAND_RECORD_SECONDS + LAPSE_SECONDS) * 1_000_000)
        return Found(data=told, settled=hot.settled and settled)

    def missing(self, query: Command) -> NotFoundError:
        """No such command, none that is known yet, or none that is known any more."""
        return NotFoundError("command_not_found", f'Command "{query.message_id}" does not exist')


def _status(hot: HotCommand, document: CommandRecord | None, *, lapsed: float) -> CommandStatus | None:
    """Nothing of a record whose time, in microseconds, is not after `lapsed`."""
    record = document or hot.record or hot.accepted
    if record is None or record.at <= lapsed:
        return None
    if isinstance(record, AcceptedCommand):
        return CommandStatus(status="accepted", type=record.type, at=whole_seconds(record.at))
    status: Status = record.status
    if status == "handled" and document is not None and hot.effects_in:
        status = "projected"
    return CommandStatus(
        status=status,
        type=record.type,
        at=whole_seconds(record.at),
        changed=record.changed,
        code=record.code,
        message=record.message,
    )
