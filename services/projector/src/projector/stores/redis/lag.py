"""Lag reports in Redis: the fields of one hash."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from redis import Redis

from cheeper_contracts.lag import LagReport, lag_key
from projector.stores.redis.faults import passing_faults


class RedisLagReports:
    """Of the generations of an installation, whose `prefix` this is."""

    def __init__(self, client: Redis, prefix: str) -> None:
        self._client = client
        self._key = lag_key(prefix)

    def tell(self, reports: Mapping[str, LagReport]) -> None:
        """Keep these instead of those before. Raises StoreAwayError."""
        with passing_faults():
            self._client.hset(self._key, mapping={name: msgspec.json.encode(each) for name, each in reports.items()})

    def close(self) -> None:
        """Gives its connections back."""
        self._client.close()
