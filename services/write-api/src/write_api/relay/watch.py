"""What waits for the relay, and which transaction holds its horizon: looked at each second, over a connection of its
own, so that it is told also while the broker is away, by the relay at work and by one that stands by alike.

The horizon is the xmin of a snapshot: the oldest transaction that has an id and has not ended, in any database of the
server, prepared ones too. What only reads has no id, and neither it nor a replication slot holds the horizon: those
hold back vacuum alone.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import psycopg
import structlog
from psycopg import AsyncConnection

from write_api.ops.backoff import Backoff
from write_api.ops.metrics import Holder, RelayMetrics
from write_api.relay import sql
from write_api.relay.cursor import CONNECTION
from write_api.relay.numbering import START, Position
from write_api.relay.skeleton import skeleton_of, without_addresses

LONG_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 1.0
_COUNTED: Final = 10_000
_XIDS: Final = 2**32

log = structlog.get_logger()


class Watch:
    """Tells the metrics what waits, and the log, once, when messages wait long for one transaction, and when that is
    over.
    """

    def __init__(self, database_url: str, metrics: RelayMetrics) -> None:
        self._database_url = database_url
        self._metrics = metrics
        self._horizon: int | None = None
        self._since = 0.0
        self._told = False

    async def run(self) -> None:
        """Look until this is cancelled. A database that is away leaves what was seen last; readiness tells of it."""
        backoff = Backoff()
        while True:
            try:
                async with await AsyncConnection.connect(
                    self._database_url,
                    autocommit=True,
                    **CONNECTION | {"application_name": "write-api-relay-watch"},
                ) as connection:
                    while True:
                        await self.look(connection)
                        backoff.reset()
                        await asyncio.sleep(_LOOK_SECONDS)
            except (psycopg.Error, OSError) as error:  # also before the tables are made
                log.debug("the outbox cannot be seen", why=type(error).__name__)
                await asyncio.sleep(backoff.next())

    async def look(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        """Look once. psycopg's errors go through."""
        at, current_epoch = await self._cursor(connection)
        waiting, oldest, last_id = await _row(connection, sql.WAITING, (at.epoch, str(at.xid), at.id, _COUNTED)) or (
            0,
            0.0,
            0,
        )
        # Beyond what is counted the numbers of the rows tell, those of rows that were rolled back among them.
        self._metrics.waiting(max(waiting, last_id - at.id) if waiting == _COUNTED else waiting, oldest)
        horizon, held = await _row(connection, sql.HELD, (current_epoch,)) or (None, False)
        await self._see(connection, int(horizon) if held else None)

    async def _cursor(self, connection: AsyncConnection[tuple[Any, ...]]) -> tuple[Position, int]:
        found = await _row(connection, sql.LOAD_CURSOR)
        if found is None:
            return START, 1
        return Position(found[0], int(found[1]), found[2]), found[8]

    async def _see(self, connection: AsyncConnection[tuple[Any, ...]], horizon: int | None) -> None:
        """Messages wait for the transaction that is the horizon, or for none."""
        if horizon != self._horizon:
            self._end()
            self._horizon, self._since = horizon, time.monotonic()
        if horizon is None:
            self._metrics.held(0, None, named=False)
            return
        held, holder = time.monotonic() - self._since, await _holder_of(connection, horizon)
        self._metrics.held(held, holder, named=held >= LONG_SECONDS)
        if held >= LONG_SECONDS and not self._told and holder is not None:
            self._told = True
            log.warning("messages wait for a transaction in flight", age_seconds=round(holder.age, 1), **holder.told())

    def _end(self) -> None:
        if self._told:
            self._told = False
            log.info(
                "messages no longer wait for that transaction", after_seconds=round(time.monotonic() - self._since, 1)
            )


async def _holder_of(connection: AsyncConnection[tuple[Any, ...]], horizon: int) -> Holder | None:
    """The transaction with that id; none where it has ended meanwhile."""
    found = await _row(connection, sql.HOLDER, (str(horizon % _XIDS),))
    if found is None:
        return None
    pid, database, application, state, query, age = found
    return Holder(
        pid=pid,
        database=database or "",
        application=without_addresses(application or ""),
        state=state or "",
        query=skeleton_of(query or ""),
        age=max(0.0, age or 0.0),
    )


async def _row(
    connection: AsyncConnection[tuple[Any, ...]], statement: str, values: tuple[object, ...] = ()
) -> tuple[Any, ...] | None:
    return await (await connection.execute(statement.encode(), values)).fetchone()
