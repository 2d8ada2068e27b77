"""The monitor of the backlog: the messages that wait for the relay, and the transaction that blocks them.

It polls every second over a connection of its own, in the active relay and in standbys alike, so that the backlog is
exposed while the broker is unavailable too.

The horizon is the xmin of a snapshot: the oldest transaction that has an id and has not ended, in any database of the
server, including prepared transactions. Readers have no id: neither they nor replication slots hold back the horizon,
only vacuum.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import psycopg
import structlog
from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cheeper_runtime.readiness.checks import Check
from cheeper_runtime.retry import Backoff
from write_api.db.engine import autocommitting
from write_api.ops.metrics import BlockingTransaction, RelayMetrics
from write_api.ops.redaction import redacted_name, redacted_statement
from write_api.relay.numbering import START, Position
from write_api.relay.postgres import sql
from write_api.relay.postgres.cursor import CONNECTION

LONG_SECONDS: Final = 5.0
LATE_SECONDS: Final = 30.0
"""The age of an unsent event from which the views count as not updated: far above every objective, and above what a
restart of the relay or of its servers takes."""
_POLL_SECONDS: Final = 1.0
_MAX_COUNTED: Final = 10_000
_XIDS: Final = 2**32

log = structlog.get_logger()


def check_of_events(engine: AsyncEngine) -> Check:
    """Return a check that fails if an event has waited for the relay for too long, whatever the reason is."""

    async def check() -> str | None:
        async with autocommitting(engine).connect() as connection:
            age = (await connection.execute(text(sql.OLDEST_UNSENT))).scalar()
        if age is None or age < LATE_SECONDS:
            return None
        return "events are not sent, so reads are not updated: the relay's readiness says why"

    return check


class BacklogMonitor:
    """Exposes the backlog as metrics, and logs once when a transaction blocks it for long and once when that ends."""

    def __init__(self, database_url: str, metrics: RelayMetrics) -> None:
        self._database_url = database_url
        self._metrics = metrics
        self._horizon: int | None = None
        self._blocked_since = 0.0
        self._logged = False

    async def run(self) -> None:
        """Poll until cancelled. While the database is unavailable the metrics keep their last values."""
        backoff = Backoff()
        while True:
            try:
                async with await AsyncConnection.connect(
                    self._database_url,
                    autocommit=True,
                    **CONNECTION | {"application_name": "write-api-relay-backlog"},
                ) as connection:
                    while True:
                        await self.poll(connection)
                        backoff.reset()
                        await asyncio.sleep(_POLL_SECONDS)
            except (psycopg.Error, OSError) as error:  # also before the migrations have run
                log.debug("backlog unavailable", reason=type(error).__name__)
                await asyncio.sleep(backoff.next())

    async def poll(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        """Read the backlog once. Raise psycopg's errors."""
        cursor, current_epoch = await self._cursor(connection)
        parameters = (cursor.epoch, str(cursor.xid), cursor.id, _MAX_COUNTED)
        count, age, last_id = await _row(connection, sql.BACKLOG, parameters) or (0, 0.0, 0)
        # Beyond what is counted, the ids of the rows are an estimate, which includes rows that were rolled back.
        self._metrics.backlog(max(count, last_id - cursor.id) if count == _MAX_COUNTED else count, age)
        horizon, blocked = await _row(connection, sql.BLOCKED, (current_epoch,)) or (None, False)
        await self._report(connection, int(horizon) if blocked else None)

    async def _cursor(self, connection: AsyncConnection[tuple[Any, ...]]) -> tuple[Position, int]:
        row = await _row(connection, sql.LOAD_CURSOR)
        if row is None:
            return START, 1
        return Position(row[0], int(row[1]), row[2]), row[8]

    async def _report(self, connection: AsyncConnection[tuple[Any, ...]], horizon: int | None) -> None:
        """Report that the transaction with that id blocks messages, or that none does."""
        if horizon != self._horizon:
            self._log_end()
            self._horizon, self._blocked_since = horizon, time.monotonic()
        if horizon is None:
            self._metrics.blocked(0, None, named=False)
            return
        seconds, transaction = time.monotonic() - self._blocked_since, await _blocking_transaction(connection, horizon)
        self._metrics.blocked(seconds, transaction, named=seconds >= LONG_SECONDS)
        if seconds >= LONG_SECONDS and not self._logged and transaction is not None:
            self._logged = True
            log.warning(
                "messages wait for a transaction in flight",
                age_seconds=round(transaction.age, 1),
                **transaction.labels(),
            )

    def _log_end(self) -> None:
        if self._logged:
            self._logged = False
            seconds = round(time.monotonic() - self._blocked_since, 1)
            log.info("messages no longer wait for that transaction", after_seconds=seconds)


async def _blocking_transaction(
    connection: AsyncConnection[tuple[Any, ...]], horizon: int
) -> BlockingTransaction | None:
    """Return the transaction with that id, or None if it has ended."""
    row = await _row(connection, sql.BLOCKING_TRANSACTION, (str(horizon % _XIDS),))
    if row is None:
        return None
    pid, database, application, state, query, age = row
    return BlockingTransaction(
        pid=pid,
        database=database or "",
        application=redacted_name(application or ""),
        state=state or "",
        query=redacted_statement(query or ""),
        age=max(0.0, age or 0.0),
    )


async def _row(
    connection: AsyncConnection[tuple[Any, ...]], statement: str, values: tuple[object, ...] = ()
) -> tuple[Any, ...] | None:
    return await (await connection.execute(statement.encode(), values)).fetchone()
