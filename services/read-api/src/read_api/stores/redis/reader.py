"""The hot views in Redis: counters, timelines and commands.

A look-up is one round trip to a script, which reads the generation that is live at that moment. A page of a timeline
may take several. A switch between them does no harm, since a position is a value and a generation is made live only if
it is not behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from cheeper_contracts.views import ENTRY_BYTES, AcceptedCommand, CommandRecord
from read_api.queries.command import HotCommand
from read_api.queries.followers_counter import NumberOfFollowers
from read_api.queries.timeline import TimelineCheep, TimelinePart
from read_api.query_bus.query import Result, StoreUnavailableError
from read_api.stores.redis.connection import TIMEOUT_SECONDS, Connection
from read_api.stores.redis.merging import MERGE, Merge
from read_api.stores.redis.scripts import Script

POOL_SIZE: Final = 8
_UNAVAILABLE: Final = frozenset(
    {
        *("ASK", "BUSY", "CLUSTERDOWN", "CROSSSLOT", "LOADING", "MASTERDOWN", "MISCONF", "MOVED", "NOAUTH", "NOPERM"),
        *("OOM", "TRYAGAIN", "UNKILLABLE", "WRONGPASS"),
    }
)
"""The first word of the errors of a server that responds but does not serve. Any other error is a defect of ours."""
_NO_COMMAND: Final = "none"

_SCRIPTS: Final = tuple(Script(name) for name in ("followers", "stretch", "own", "settled", "command"))
_followers, _stretch, _own, _settled, _command = _SCRIPTS


def connect(url: str) -> Redis:
    """Return a client whose operations fail after TIMEOUT_SECONDS, and are retried once if a connection was dead."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=POOL_SIZE,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        protocol=2,
    )
    return Redis.from_pool(pool)


class RedisViews:
    """Counters, timelines and commands, and the commands whose effects are in them. All methods raise
    StoreUnavailableError.
    """

    def __init__(self, client: Redis, prefix: str) -> None:
        self._connection = Connection(client.connection_pool, [script.loading for script in (*_SCRIPTS, MERGE)])
        self._prefix = prefix
        self._merge = Merge(self._connection, prefix)

    def close(self) -> None:
        """Close the connection of the look-ups."""
        self._connection.close()

    async def ping(self) -> None:
        """Run a script, since a server may respond to a ping and serve nothing."""
        await self._run(_settled, 0, _NO_COMMAND)

    async def followers(self, author_id: str, *, after: str | None) -> Result[NumberOfFollowers]:
        """Implement `Counters`."""
        settled, username, followers = await self._run(_followers, author_id, after or "")
        number = None
        if username is not None:
            number = NumberOfFollowers(
                author_id=author_id, author_username=username.decode(), number_of_followers=int(followers or 0)
            )
        return Result(data=number, settled=bool(settled))

    async def part(
        self, author_id: str, *, before: bytes | None, skip: int, limit: int, after: str | None
    ) -> TimelinePart:
        """Implement `Timelines`."""
        settled, skipped, entries, records, floor = await self._run(
            _stretch, author_id, limit, skip, before or b"", after or ""
        )
        return TimelinePart(
            cheeps=[TimelineCheep(*pair) for pair in zip(entries, records, strict=True)],
            skipped=skipped,
            below=_below(floor, before) if floor else None,
            settled=bool(settled),
        )

    async def merged(self, author_id: str, *, below: bytes, limit: int) -> list[TimelineCheep]:
        """Implement `Timelines`."""
        with _failures():
            found = await self._merge.newest(author_id, below=below, limit=limit)
        return [TimelineCheep(entry, record or b"") for entry, record in found]

    async def own(self, author_id: str, *, before: bytes | None, limit: int) -> list[TimelineCheep]:
        """Implement `Timelines`."""
        entries, records = await self._run(_own, author_id, limit, before or b"")
        return [TimelineCheep(entry, record or b"") for entry, record in zip(entries, records, strict=True)]

    async def command(self, message_id: str, *, after: str | None) -> HotCommand:
        """Implement `HotCommands`."""
        now, settled, projected, record, accepted = await self._run(_command, message_id, after or "")
        return HotCommand(
            now=int(now),
            record=None if record is None else msgspec.json.decode(record, type=CommandRecord),
            accepted=None if accepted is None else msgspec.json.decode(accepted, type=AcceptedCommand),
            projected=bool(projected),
            settled=bool(settled),
        )

    async def settled_in_counters(self, message_ids: Collection[str]) -> set[str]:
        """Return those of the commands whose effects the counters show."""
        return await self._settled_of(message_ids, with_tasks=False)

    async def settled_in_timelines(self, message_ids: Collection[str]) -> set[str]:
        """Return those of the commands whose effects the timelines show, fan-out included."""
        return await self._settled_of(message_ids, with_tasks=True)

    async def _settled_of(self, message_ids: Collection[str], *, with_tasks: bool) -> set[str]:
        if not message_ids:
            return set()
        flags = await self._run(_settled, int(with_tasks), *message_ids)
        return {message_id for message_id, flag in zip(message_ids, flags, strict=True) if flag}

    async def _run(self, script: Script, *arguments: str | bytes | int) -> Any:
        with _failures():
            return await script(self._connection, self._prefix, *arguments)


def _below(floor: bytes, before: bytes | None) -> bytes:
    """Return the entry below which the merge continues: it includes the floor itself, but not the cursor's entry."""
    above_floor = (int.from_bytes(floor) + 1).to_bytes(ENTRY_BYTES + 1)[1:]
    return above_floor if before is None else min(before, above_floor)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except ResponseError as error:
        if str(error).partition(" ")[0] in _UNAVAILABLE:
            raise StoreUnavailableError("redis", str(error)) from error
        raise
    except (RedisError, OSError) as error:
        raise StoreUnavailableError("redis", f"{type(error).__name__}: {error}") from error
