"""A write model in memory that behaves like the one in Postgres, for tests without a server. `tests/integration` runs
the same suite over both.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import msgspec

from cheeper_contracts.messages import Command
from write_api.bus.bus import now_in_microseconds
from write_api.bus.outcome import KnownCommand
from write_api.bus.unit_of_work import Checkpoint, HandledCommand
from write_api.domain.quotas import DEFAULT_QUOTAS, Quotas
from write_api.testing.repositories import (
    MemoryAuthors,
    MemoryBlocks,
    MemoryCheeps,
    MemoryFollows,
    MemoryMutes,
    MemoryNotifications,
    Tables,
)

__all__ = ["MemoryTransactions", "MemoryUnitOfWork", "Tables"]


class MemoryUnitOfWork:
    """A transaction over tables of its own."""

    def __init__(self, tables: Tables, now: int, quotas: Quotas = DEFAULT_QUOTAS) -> None:
        self._tables = tables
        self.now = now
        self.authors = MemoryAuthors(tables, now)
        self.follows = MemoryFollows(tables, quotas)
        self.cheeps = MemoryCheeps(tables, quotas)
        self.notifications = MemoryNotifications(tables)
        self.mutes = MemoryMutes(tables)
        self.blocks = MemoryBlocks(tables)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo the block's changes if it raises."""
        before = copy.deepcopy(self._tables)
        try:
            yield
        except BaseException:
            self._tables.take(before)
            raise

    async def known(self, message_ids: Collection[str]) -> dict[str, KnownCommand]:
        """Return what is recorded of the commands."""
        return {one: self._tables.commands[one] for one in message_ids if one in self._tables.commands}

    async def record(self, handled: Sequence[HandledCommand], checkpoints: Sequence[Checkpoint] = ()) -> None:
        """Record the commands, keep their messages in order, and move the checkpoints."""
        for checkpoint in checkpoints:
            self._tables.checkpoints[checkpoint.topic, checkpoint.partition] = checkpoint
        for one in handled:
            self._tables.outbox.append(one)
            self._tables.commands[one.message_id] = KnownCommand(
                digest=one.digest, accepted=one.accepted, outcome=one.outcome
            )


class MemoryTransactions:
    """Opens units of work, one after another, and reserves message ids for commands that are sent. `clock` is that of
    the store.
    """

    def __init__(self, quotas: Quotas = DEFAULT_QUOTAS, clock: Callable[[], int] = now_in_microseconds) -> None:
        self.tables = Tables()
        self._quotas = quotas
        self._reserved_at: dict[str, int] = {}
        self._clock = clock
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def begin(
        self, keys: Collection[str], commands: Sequence[Command] = (), *, separately: bool = False
    ) -> AsyncIterator[MemoryUnitOfWork]:
        """Open a transaction. Its one lock is every key's, and every save is written at once, so nothing clashes."""
        del keys, commands, separately
        async with self._lock:
            tables = copy.deepcopy(self.tables)
            yield MemoryUnitOfWork(tables, self._clock(), self._quotas)
            self.tables.take(tables)

    async def reserve(self, message_id: str, digest: bytes, key: str, at: int) -> KnownCommand:
        """Reserve the message id as `bus.dispatcher.Reservations` describes."""
        del key
        reserved = KnownCommand(digest=digest, accepted=True, outcome=None)
        known = self.tables.commands.setdefault(message_id, reserved)
        if known.outcome is None and known.digest == digest:
            self.tables.commands[message_id], self._reserved_at[message_id] = reserved, at
        return self.tables.commands[message_id]

    async def withdraw(self, message_id: str, at: int) -> None:
        """Withdraw the reservation as `bus.dispatcher.Reservations` describes."""
        known = self.tables.commands[message_id]
        if known.outcome is None and self._reserved_at[message_id] == at:
            self.tables.commands[message_id] = msgspec.structs.replace(known, accepted=False)
