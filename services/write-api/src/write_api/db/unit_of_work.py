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
from write_api.bus.bus import now_in_microseconds
from write_api.bus.errors import ContentionError, UnavailableError
from write_api.bus.outcome import KnownCommand
from write_api.bus.unit_of_work import Checkpoint, HandledCommand
from write_api.db import handled_commands
from write_api.db.clock import MICROSECONDS
from write_api.db.faults import transient_faults
from write_api.db.repositories.authors import PostgresAuthors
from write_api.db.repositories.cheeps import PostgresCheeps
from write_api.db.repositories.follows import PostgresFollows
from write_api.db.repositories.identity_map import IdentityMap
from write_api.db.repositories.notifications import PostgresNotifications
from write_api.db.repositories.pairs import PostgresPairs
from write_api.db.schema.tables import blocks, mutes
from write_api.domain.block import Block
from write_api.domain.mute import Mute
from write_api.domain.quotas import DEFAULT_QUOTAS, Quotas
from write_api.ops.clock_metrics import ClockMetrics
from write_api.ops.recent_failure import RecentFailure

# One statement for all keys, in the order of the array: whoever locks several keys locks them in the same order.
# Its one row is made once all locks are taken, and so is the time in it, which costs no statement of its own.
_LOCK = text(
    f"SELECT count(pg_advisory_xact_lock(key)::text), {MICROSECONDS} AS now FROM unnest(:keys) AS key"  # noqa: S608 - our own constant
).bindparams(bindparam("keys", type_=ARRAY(BigInteger)))


def lock_of(key: str) -> int:
    """Return the advisory lock of a key: 64 bits of its BLAKE2 hash, signed as Postgres has them."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), signed=True)


async def lock(connection: AsyncConnection, keys: Collection[str]) -> int:
    """Take the locks of all these keys for the transaction, which must not have written before. Return the time of the
    database's clock after that, in microseconds since the epoch.
    """
    taken = await connection.execute(_LOCK, {"keys": sorted({lock_of(key) for key in keys})})
    return int(taken.one().now)


class PostgresUnitOfWork:
    """The repositories of one transaction, which are written together at its end or, `separately`, after each command
    within a savepoint of its own.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        now: int,
        *,
        separately: bool = False,
        quotas: Quotas = DEFAULT_QUOTAS,
        metrics: ClockMetrics | None = None,
    ) -> None:
        self._connection = connection
        self._separately = separately
        self.now = now
        self.cheeps = PostgresCheeps(connection, separately=separately, quotas=quotas)
        self.authors = PostgresAuthors(connection, self.cheeps, now, separately=separately, metrics=metrics)
        self.follows = PostgresFollows(connection, separately=separately, quotas=quotas)
        self.notifications = PostgresNotifications(connection, separately=separately)
        self.mutes = PostgresPairs(connection, mutes, Mute, separately=separately)
        self.blocks = PostgresPairs(connection, blocks, Block, separately=separately)
        # In the order in which rows refer to each other.
        self._maps: tuple[IdentityMap[Any, Any], ...] = (
            self.authors,
            self.cheeps,
            self.follows,
            self.notifications,
            self.mutes,
            self.blocks,
        )

    async def prefetch(self, commands: Sequence[Command]) -> None:
        """Read the aggregates that these commands will ask for, in one statement for each kind.

        They are guessed by the names of the commands' fields. A wrong guess costs a statement and nothing else.
        """
        await self.authors.prefetch(_identifiers(commands, "author_id", "muted_id", "blocked_id"))
        await self.cheeps.prefetch(_identifiers(commands, "cheep_id"))
        await self.notifications.prefetch(_identifiers(commands, "notification_id", "previous_notification_id"))
        follows = _pairs(commands, "from_author_id", "to_author_id")
        blocks = _pairs(commands, "author_id", "blocked_id")
        await self.follows.prefetch(follows | {(blocked, author) for author, blocked in blocks})
        await self.blocks.prefetch(follows | blocks)
        await self.mutes.prefetch(_pairs(commands, "author_id", "muted_id"))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo the block's changes if it raises. Written together, they are undone in memory, without a statement."""
        await self._close_step()
        try:
            if self._separately:
                async with self._connection.begin_nested():
                    yield
                    await self.flush()
            else:
                yield
        except BaseException:
            for each in self._maps:
                each.undo()
            raise
        await self._close_step()

    async def flush(self) -> None:
        """Write everything that was saved. Raise ClashError or, if written separately, a Refusal."""
        for each in self._maps:
            await each.flush()
        for each in self._maps:
            each.flushed()

    async def known(self, message_ids: Collection[str]) -> dict[str, KnownCommand]:
        """Read the record of commands."""
        return await handled_commands.of_ids(self._connection, message_ids)

    async def record(self, handled: Sequence[HandledCommand], checkpoints: Sequence[Checkpoint] = ()) -> None:
        """Write the commands' messages to the outbox, and their outcomes with the checkpoints to the record."""
        await outbox.append_all(self._connection, [(one.envelope, one.event) for one in handled])
        await handled_commands.record(self._connection, handled, checkpoints)

    async def _close_step(self) -> None:
        if self._separately:
            await self.flush()
        for each in self._maps:
            each.accept()


class PostgresTransactions:
    """Opens units of work on a pool. `at_end` is done in the same transaction, after everything else. `clock` replaces
    the database's.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        at_end: Callable[[AsyncConnection], Awaitable[object]] | None = None,
        *,
        quotas: Quotas = DEFAULT_QUOTAS,
        metrics: ClockMetrics | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._engine = engine
        self._at_end = at_end
        self._quotas = quotas
        self._metrics = metrics
        self._clock = clock
        self.failure = RecentFailure()

    @asynccontextmanager
    async def begin(
        self, keys: Collection[str], commands: Sequence[Command] = (), *, separately: bool = False
    ) -> AsyncIterator[PostgresUnitOfWork]:
        """Open a transaction as `bus.unit_of_work.Begin` describes."""
        try:
            with transient_faults():
                async with self._engine.begin() as connection:
                    now = await lock(connection, keys)
                    if self._metrics is not None:
                        self._metrics.difference(now - now_in_microseconds())
                    work = PostgresUnitOfWork(
                        connection,
                        now if self._clock is None else self._clock(),
                        separately=separately,
                        quotas=self._quotas,
                        metrics=self._metrics,
                    )
                    await work.prefetch(commands)
                    yield work
                    await work.flush()
                    if self._at_end is not None:
                        await self._at_end(connection)
        except ContentionError:  # clients caused it, and it says nothing about the server
            raise
        except UnavailableError as error:
            self.failure.record(str(error))
            raise
        self.failure.clear()


def _identifiers(commands: Iterable[Command], *fields: str) -> list[str]:
    """Return the values of these fields, as far as the commands have them and they can be looked up."""
    values = dict.fromkeys(getattr(command, field, None) for command in commands for field in fields)
    return [value for value in values if isinstance(value, str) and _is_uuid(value)]


def _pairs(commands: Iterable[Command], one: str, other: str) -> set[tuple[str, str]]:
    found = (_identifiers([command], one, other) for command in commands)
    return {(pair[0], pair[1]) for pair in found if len(pair) > 1}


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
