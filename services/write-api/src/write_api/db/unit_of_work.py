"""One transaction over the write model: locks first, then repositories, the outbox and the record of commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cheeper_contracts.messages import Command
from write_api import outbox
from write_api.bus.errors import UnavailableError
from write_api.bus.outcome import KnownCommand
from write_api.bus.unit_of_work import Settlement
from write_api.db import handled_commands
from write_api.db.authors import PostgresAuthors
from write_api.db.cheeps import PostgresCheeps
from write_api.db.deferred import DeferredAuthors, DeferredCheeps, DeferredFollows, DeferredNotifications, Kept
from write_api.db.faults import transient_faults
from write_api.db.follows import PostgresFollows
from write_api.db.notifications import PostgresNotifications
from write_api.domain.repositories import Authors, Cheeps, Follows, Notifications
from write_api.ops.recent_failure import RecentFailure

# One statement for all keys, in the order of the array: whoever locks several keys locks them in the same order.
_LOCK = text("SELECT pg_advisory_xact_lock(key) FROM unnest(:keys) AS key").bindparams(
    bindparam("keys", type_=ARRAY(BigInteger))
)


def lock_of(key: str) -> int:
    """The advisory lock of a key: 64 bits of its BLAKE2 hash, signed as Postgres has them."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), signed=True)


async def lock(connection: AsyncConnection, keys: Collection[str]) -> None:
    """Take the locks of all these keys for the transaction, which must not have written before."""
    await connection.execute(_LOCK, {"keys": sorted({lock_of(key) for key in keys})})


class PostgresUnitOfWork:
    """What one transaction may touch."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.authors: Authors = PostgresAuthors(connection)
        self.follows: Follows = PostgresFollows(connection)
        self.cheeps: Cheeps = PostgresCheeps(connection)
        self.notifications: Notifications = PostgresNotifications(connection)

    async def foresee(self, commands: Sequence[Command]) -> None:
        """Nothing: what a command needs is found when it asks."""

    async def flush(self) -> None:
        """Nothing: what was saved is written."""

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """As `commands.unit_of_work` has it."""
        async with self._connection.begin_nested():
            yield

    async def known(self, message_ids: Collection[str]) -> dict[str, KnownCommand]:
        """As `commands.unit_of_work` has it."""
        return await handled_commands.of_ids(self._connection, message_ids)

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """As `commands.unit_of_work` has it."""
        messages = [(settlement.envelope, settlement.event) for settlement in settlements]
        await outbox.append_all(self._connection, messages)
        await handled_commands.settle(self._connection, settlements)


class DeferredUnitOfWork(PostgresUnitOfWork):
    """What one transaction may touch, found and written together for all of its commands."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.cheeps: DeferredCheeps = DeferredCheeps(PostgresCheeps(connection))
        self.authors: DeferredAuthors = DeferredAuthors(PostgresAuthors(connection), self.cheeps.last_date)
        self.follows: DeferredFollows = DeferredFollows(PostgresFollows(connection))
        self.notifications: DeferredNotifications = DeferredNotifications(PostgresNotifications(connection))
        # In the order in which rows refer to each other.
        self._kept: tuple[Kept[Any, Any], ...] = (
            self.authors.kept,
            self.cheeps.kept,
            self.follows.kept,
            self.notifications.kept,
        )

    async def foresee(self, commands: Sequence[Command]) -> None:
        """Find what these commands will ask for. Only a guess by the names of their fields: what is not foreseen is
        found when it is asked for.
        """
        await self.authors.kept.foresee(_identifiers(commands, "author_id"))
        await self.cheeps.kept.foresee(_identifiers(commands, "cheep_id"))
        await self.notifications.kept.foresee(_identifiers(commands, "notification_id"))
        pairs = (_identifiers([command], "from_author_id", "to_author_id") for command in commands)
        await self.follows.kept.foresee({(pair[0], pair[1]) for pair in pairs if len(pair) > 1})

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """As `commands.unit_of_work` has it. Nothing was written, so there is only what was saved to be forgotten."""
        before = [dict(kept.saved) for kept in self._kept]
        try:
            yield
        except BaseException:
            for kept, saved in zip(self._kept, before, strict=True):
                kept.saved = saved
            raise

    async def flush(self) -> None:
        """Write all that was saved. Raises ClashError."""
        for kept in self._kept:
            await kept.flush()


class PostgresTransactions:
    """Opens units of work on a pool. `at_end` is done in the same transaction, after all else."""

    def __init__(
        self, engine: AsyncEngine, at_end: Callable[[AsyncConnection], Awaitable[object]] | None = None
    ) -> None:
        self._engine = engine
        self._at_end = at_end
        self.failure = RecentFailure()

    @asynccontextmanager
    async def begin(self, keys: Collection[str], together: Sequence[Command] = ()) -> AsyncIterator[PostgresUnitOfWork]:
        """As `commands.unit_of_work.Begin` has it."""
        try:
            with transient_faults():
                async with self._engine.begin() as connection:
                    await lock(connection, keys)
                    work = DeferredUnitOfWork(connection) if together else PostgresUnitOfWork(connection)
                    await work.foresee(together)
                    yield work
                    await work.flush()
                    if self._at_end is not None:
                        await self._at_end(connection)
        except UnavailableError as error:
            self.failure.record(str(error))
            raise
        self.failure.clear()


def _identifiers(commands: Iterable[Command], *fields: str) -> list[str]:
    """What the commands have in these fields, as far as they have them and it can be looked for."""
    values = dict.fromkeys(getattr(command, field, None) for command in commands for field in fields)
    return [value for value in values if isinstance(value, str) and _is_uuid(value)]


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
