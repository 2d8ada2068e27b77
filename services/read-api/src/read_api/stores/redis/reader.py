"""The hot views in Redis: counters, timelines, commands.

One look-up is one round trip, answered by a script on the server from the generation that is live then. A page of a
timeline may take several; a switch in between does it no harm, since a place is a value and a generation is made live
only where it is not behind.
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
from read_api.queries.followers_counter import Counted
from read_api.queries.timeline import Place, Stretch
from read_api.query_bus.query import StoreAwayError
from read_api.stores.redis.merging import MERGE, Merging
from read_api.stores.redis.scripts import Script
from read_api.stores.redis.wire import PATIENCE_SECONDS, Wire

CONNECTIONS: Final = 8
_NOT_NOW: Final = frozenset(
    {
        *("ASK", "BUSY", "CLUSTERDOWN", "CROSSSLOT", "LOADING", "MASTERDOWN", "MISCONF", "MOVED", "NOAUTH", "NOPERM"),
        *("OOM", "TRYAGAIN", "UNKILLABLE", "WRONGPASS"),
    }
)
"""What a server that is there but cannot or will not serve begins its errors with; any other is a defect of ours."""

_NOBODY: Final = "nobody"

_SCRIPTS: Final = tuple(Script(name) for name in ("followers", "stretch", "settled", "command"))
_followers, _stretch, _settled, _command = _SCRIPTS


def connect(url: str) -> Redis:
    """A client that answers or gives up within seconds, and at once tries again on a connection that had died."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=PATIENCE_SECONDS,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        protocol=2,
    )
    return Redis.from_pool(pool)


class RedisViews:
    """Counters, timelines and commands, and which commands' effects are in them."""

    def __init__(self, client: Redis, prefix: str) -> None:
        self._wire = Wire(client.connection_pool, [script.loading for script in (*_SCRIPTS, MERGE)])
        self._prefix = prefix
        self._merging = Merging(self._wire, prefix)

    async def ping(self) -> None:
        """Raises StoreAwayError where no script may run: a server may answer a ping and serve nothing."""
        with _failures():
            await _settled(self._wire, self._prefix, 0, _NOBODY)

    async def followers(self, author_id: str, *, after: str | None) -> Counted:
        """As `Counters` says."""
        with _failures():
            settled, username, followers = await _followers(self._wire, self._prefix, author_id, after or "")
        return Counted(
            username=None if username is None else username.decode(),
            followers=int(followers or 0),
            settled=bool(settled),
        )

    async def stretch(
        self, author_id: str, *, before: bytes | None, skip: int, want: int, after: str | None
    ) -> Stretch:
        """As `Timelines` says."""
        with _failures():
            settled, skipped, entries, records, floor = await _stretch(
                self._wire, self._prefix, author_id, want, skip, before or b"", after or ""
            )
        return Stretch(
            places=[Place(*pair) for pair in zip(entries, records, strict=True)],
            skipped=skipped,
            below=_below(floor, before) if floor else None,
            settled=bool(settled),
        )

    async def merged(self, author_id: str, *, below: bytes, want: int) -> list[Place]:
        """As `Timelines` says."""
        with _failures():
            found = await self._merging.newest(author_id, below=below, want=want)
        return [Place(entry, record or b"") for entry, record in found]

    async def command(self, message_id: str, *, after: str | None) -> HotCommand:
        """As `HotCommands` says."""
        with _failures():
            settled, effects_in, record, accepted = await _command(self._wire, self._prefix, message_id, after or "")
        return HotCommand(
            record=None if record is None else msgspec.json.decode(record, type=CommandRecord),
            accepted=None if accepted is None else msgspec.json.decode(accepted, type=AcceptedCommand),
            effects_in=bool(effects_in),
            settled=bool(settled),
        )

    async def settled_in_counters(self, message_ids: Collection[str]) -> set[str]:
        """The commands whose effects the counters show."""
        return await self._settled_of(message_ids, with_tasks=False)

    async def settled_in_timelines(self, message_ids: Collection[str]) -> set[str]:
        """The commands whose effects the timelines show, fan-out included."""
        return await self._settled_of(message_ids, with_tasks=True)

    async def _settled_of(self, message_ids: Collection[str], *, with_tasks: bool) -> set[str]:
        if not message_ids:
            return set()
        with _failures():
            flags = await _settled(self._wire, self._prefix, int(with_tasks), *message_ids)
        return {message_id for message_id, flag in zip(message_ids, flags, strict=True) if flag}


def _below(floor: bytes, before: bytes | None) -> bytes:
    """What the entries of the merge are less than: the floor itself is among them, the cursor's entry is not."""
    above_floor = (int.from_bytes(floor) + 1).to_bytes(ENTRY_BYTES + 1)[1:]
    return above_floor if before is None else min(before, above_floor)


@contextmanager
def _failures() -> Iterator[Any]:
    try:
        yield
    except ResponseError as error:
        if str(error).partition(" ")[0] in _NOT_NOW:
            raise StoreAwayError("redis", str(error)) from error
        raise
    except (RedisError, OSError) as error:
        raise StoreAwayError("redis", f"{type(error).__name__}: {error}") from error
