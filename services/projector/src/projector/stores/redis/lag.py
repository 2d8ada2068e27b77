"""Lag reports in Redis, the fields of one hash."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from redis import Redis

from cheeper_contracts.views.lag import Lag, LagReport, lag_key
from projector.stores.redis.faults import passing_faults

_Field = bytes | bytearray | memoryview | str | int | float


class RedisLagReports:
    """The lag reports of all generations. `prefix` is the installation's."""

    def __init__(self, client: Redis, prefix: str) -> None:
        self._client = client
        self._key = lag_key(prefix)

    def write(self, lags: Mapping[str, Lag]) -> None:
        """Replace the reports before. Raise StoreUnavailableError."""
        with passing_faults():
            seconds, microseconds = self._client.time()
            now = seconds + microseconds / 1_000_000
            fields: dict[_Field, _Field] = {
                name: msgspec.json.encode(LagReport(told_at=now, messages=lag.messages, seconds=lag.seconds))
                for name, lag in lags.items()
            }
            self._client.hset(self._key, mapping=fields)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
