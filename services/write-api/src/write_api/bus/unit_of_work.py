"""One transaction of the write model, as the bus sees it. Only the bus ends one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Command, Event
from write_api.bus.outcome import KnownCommand, Outcome


class ClashError(Exception):
    """The changes of a transaction broke a rule of the tables when they were written together, and nothing was done.
    Written separately, they show which command must be refused.
    """


class HandledCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has been handled, its outcome, and the one message that reports it."""

    message_id: str
    digest: bytes
    key: str
    accepted: bool
    outcome: Outcome
    event: Event
    envelope: Envelope


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The offset of the next message of a partition, once the transaction that has it has committed.

    It moves only if the one before it is at least `since`, so that a database that was set back skips nothing.
    """

    topic: str
    partition: int
    topic_id: str
    since: int
    next_offset: int


class LogState(msgspec.Struct, frozen=True):
    """The state of a partition at the broker: the offset that the group has committed in this topic, None if there is
    none, and the high-water mark.
    """

    committed: int | None
    end: int


class UnitOfWork(Protocol):
    """One transaction. Handlers get it too, for its repositories, which the bus does not know."""

    @property
    def now(self) -> int:
        """The time of the store's clock once the transaction had its locks, in microseconds since the epoch. So all
        processes that write have one clock, and the times of a key's transactions rise unless that clock is set back.
        """

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Enclose the changes of one command: an exception undoes them, them alone, and goes on."""

    async def known(self, message_ids: Collection[str]) -> dict[str, KnownCommand]:
        """Return what is recorded of the commands with these message ids."""

    async def record(self, handled: Sequence[HandledCommand], checkpoints: Sequence[Checkpoint] = ()) -> None:
        """Record the outcomes of commands, leave their messages in the outbox, in this order, and move checkpoints."""


class Begin(Protocol):
    """Opens units of work."""

    def __call__(
        self, keys: Collection[str], commands: Sequence[Command] = (), *, separately: bool = False
    ) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a transaction that holds the locks of these keys from before its first write until its end.

        The aggregates of `commands` are read beforehand. All changes are written together at the end, in one statement
        for each kind, and raise ClashError there if they break a rule of the tables. `separately`, the changes of each
        savepoint are written at its end, which raises the Refusal of the one that breaks a rule.

        The transaction commits when the block ends, and is undone when an exception leaves it. It raises
        UnavailableError if the database is unavailable or the transaction lost against another one; then the outcome of
        the commit is unknown.
        """
