"""The common buckets in Valkey (or Redis), which may evict them: a bucket that is gone is full.

One call of one function takes a whole batch, by the clock of the server. A bucket is a key whose value is the time at
which it is full, in microseconds, and which expires then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from cheeper_runtime.concurrency.background import in_background
from cheeper_runtime.rate_limits.limits import RateLimits
from cheeper_runtime.rate_limits.sharing import REPORT_SECONDS, Shared, SharedBucketsUnavailableError, Sharing, Use

_MICROSECONDS: Final = 1_000_000
_SILENT: Final = int(3 * REPORT_SECONDS * _MICROSECONDS)
_REPLICAS: Final = "replicas"
_PREFIX: Final = "limits:"
ACL_RULES: Final = f"~{_PREFIX}* +get +set +del +zadd +zcard +zremrangebyscore +time +evalsha +script|load"
"""The rights of a user in the server, which needs no others."""
_APPLY: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
local results = {redis.call('ZCARD', KEYS[1])}
for i = 2, #KEYS do
    local use, burst, conditional = tonumber(ARGV[3 * i - 3]), tonumber(ARGV[3 * i - 2]), ARGV[3 * i - 1]
    local full = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now)
    local after, taken = math.max(full + use, now), 1
    if conditional == '1' and after - now > burst then
        after, taken = full, 0
    elseif after > now then
        redis.call('SET', KEYS[i], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
    else
        redis.call('DEL', KEYS[i])
    end
    results[#results + 1] = string.format('%.0f', after - now)
    results[#results + 1] = taken
end
return results
"""


class ValkeyStore:
    """The store in a server of its own. All its keys begin with `prefix`."""

    def __init__(self, url: str, prefix: str = _PREFIX) -> None:
        # A use that is sent again could count twice; the next report comes in any case.
        self._client: Redis = Redis.from_url(
            url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
        )
        self._apply = self._client.register_script(_APPLY)
        self._prefix = prefix
        self._replica = uuid4().hex

    async def apply(self, uses: Sequence[Use]) -> tuple[int, Sequence[Shared]]:
        """Take these uses, as Store has it."""
        keys = [self._prefix + _REPLICAS, *(f"{self._prefix}of:{use.key}" for use in uses)]
        arguments: list[Any] = [self._replica, _SILENT]
        for use in uses:
            arguments += (_micros(use.seconds), _micros(use.burst_seconds), int(use.conditional))
        try:
            replicas, *results = await self._apply(keys, arguments)
        except (RedisError, OSError) as error:
            raise SharedBucketsUnavailableError(str(error)) from error
        pairs = zip(results[::2], results[1::2], strict=True)
        return replicas, [Shared(int(full_in) / _MICROSECONDS, bool(taken)) for full_in, taken in pairs]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _micros(seconds: float) -> int:
    return round(seconds * _MICROSECONDS)


@asynccontextmanager
async def shared(limits: RateLimits | None, url: str | None) -> AsyncIterator[None]:
    """Share these limits in the Valkey at this URL for the duration of a block, if there are any of both."""
    if limits is None or url is None:
        yield
        return
    store = ValkeyStore(url)
    try:
        async with in_background(Sharing(store, limits.all()).run()):
            yield
    finally:
        await store.close()
