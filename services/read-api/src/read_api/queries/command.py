"""GET /command/{message_id}, from Redis and MongoDB at once.

The status only moves forward: accepted, handled, projected; or accepted, rejected. Each store's record does so, and one
clock, that of Redis, decides for both stores when a record lapses, so a status does not go back because one store
expires its record earlier, or because another replica's clock differs.
"""

from __future__ import annotations

import asyncio
from typing import Final, Literal, Protocol

import msgspec

from cheeper_contracts.http.responses import COMMAND_RECORD_SECONDS, OVERDUE_SECONDS
from cheeper_contracts.views import AcceptedCommand, CommandRecord, whole_seconds
from read_api.query_bus.query import Query, Result, Subject

LAPSE_SECONDS: Final = 60
"""A record is hidden for this time before the stores expire it, which is more than their clocks differ."""

Status = Literal["accepted", "handled", "rejected", "projected"]


class Command(Query, frozen=True, kw_only=True):
    """The status of a command."""

    subject = Subject("Command", "message_id")

    message_id: str


class CommandStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The status of a command. `changed` is there once it is known, `code` and `message` give the reason of a
    rejection, and `at` is the time at which the command was sent or, later, settled. `overdue` is true if it was
    accepted so long ago that it may be lost: a repeat with its message id as the key repairs that.
    """

    status: Status
    type: str
    at: str
    changed: bool | None = None
    code: str | None = None
    message: str | None = None
    overdue: bool = False


class HotCommand(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a command in Redis: its record, or the note that it was accepted, which stays beside it.
    `projected` is True if its effects are in all views there, fan-out included; `settled` is the same of `after`. `now`
    is the time of Redis's clock, in seconds since the epoch.
    """

    now: float
    record: CommandRecord | None
    accepted: AcceptedCommand | None
    projected: bool
    settled: bool


class HotCommands(Protocol):
    """The view of commands in Redis."""

    async def command(self, message_id: str, *, after: str | None) -> HotCommand:
        """Return the state of a command. Raise StoreUnavailableError."""


class CommandDocuments(Protocol):
    """The view of commands in MongoDB."""

    async def record(self, message_id: str, *, after: str | None) -> Result[CommandRecord]:
        """Return the record of a settled command. Raise StoreUnavailableError."""


async def show_command(query: Command, hot: HotCommands, documents: CommandDocuments) -> Result[CommandStatus]:
    """Return the status of the command, of what both stores have."""
    command, document = await asyncio.gather(
        hot.command(query.message_id, after=query.after),
        documents.record(query.message_id, after=query.after),
    )
    return Result(data=_status(query, command, document.data), settled=command.settled and document.settled)


def _owners(command: HotCommand, record: CommandRecord | AcceptedCommand) -> tuple[str | None, ...]:
    """Return who may see a command's status: its sender, and the author of its key, who sees its effects anyway."""
    return (record.key, command.accepted.actor if command.accepted is not None else None)


def _status(query: Command, command: HotCommand, document: CommandRecord | None) -> CommandStatus | None:
    """Return the status, or None if there is no record that has not lapsed."""
    now = command.now
    record = document or command.record or command.accepted
    if record is None or record.at <= (now - COMMAND_RECORD_SECONDS + LAPSE_SECONDS) * 1_000_000:
        return None
    if query.sender is not None and query.sender not in _owners(command, record):
        return None
    if isinstance(record, AcceptedCommand):
        overdue = record.at < (now - OVERDUE_SECONDS) * 1_000_000
        return CommandStatus(status="accepted", type=record.type, at=whole_seconds(record.at), overdue=overdue)
    status: Status = record.status
    if status == "handled" and document is not None and command.projected:
        status = "projected"
    return CommandStatus(
        status=status,
        type=record.type,
        at=whole_seconds(record.at),
        changed=record.changed,
        code=record.code,
        message=record.message,
    )
