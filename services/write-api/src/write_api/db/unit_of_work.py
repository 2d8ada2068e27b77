"""One transaction over the write model: locks first, then repositories, the outbox and the record of commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b

from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from write_api import outbox
from write_api.commands.errors import UnavailableError
from write_api.commands.outcome import KnownCommand
from write_api.commands.unit_of_work import Settlement
from write_api.db import handled_commands
from write_api.db.authors import PostgresAuthors
from write_api.db.cheeps import PostgresCheeps
from write_api.db.faults import transient_faults
from write_api.db.follows import PostgresFollows
from write_api.db.notifications import PostgresNotifications
from write_api.db.trouble import Trouble

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
        self.authors = PostgresAuthors(connection)
        self.follows = PostgresFollows(connection)
        self.cheeps = PostgresCheeps(connection)
        self.notifications = PostgresNotifications(connection)

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


class PostgresTransactions:
    """Opens units of work on a pool. `at_end` is done in the same transaction, after all else."""

    def __init__(
        self, engine: AsyncEngine, at_end: Callable[[AsyncConnection], Awaitable[object]] | None = None
    ) -> None:
        self._engine = engine
        self._at_end = at_end
        self.trouble = Trouble()

    @asynccontextmanager
    async def begin(self, keys: Collection[str]) -> AsyncIterator[PostgresUnitOfWork]:
        """As `commands.unit_of_work.Begin` has it."""
        try:
            with transient_faults():
                async with self._engine.begin() as connection:
                    await lock(connection, keys)
                    yield PostgresUnitOfWork(connection)
                    if self._at_end is not None:
                        await self._at_end(connection)
        except UnavailableError as error:
            self.trouble.met(str(error))
            raise
        self.trouble.over()
