"""Lag reports: the projector that fills a store's views reports their lag in the store itself.

So a reader of the store knows the lag without a request to Kafka or to the projector. A projector that has ended or
hangs does not report any more, and its silence counts as lag. Reports belong to no generation:

- Redis: the hash `lag_key(prefix)`, by `report_id`, as JSON.
- MongoDB: the collection `LAG` of the first generation's database, by `report_id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from cheeper_contracts.views import COLLECTIONS, KEY_PATTERNS, stem

LAG: Final = "lag"

PERIOD_SECONDS: Final = 1.0
"""The interval of the reports of each partition."""

SILENT_SECONDS: Final = 3.0
"""The age from which a report's age counts as lag, so that one that comes a bit late raises no alarm."""

OBJECTIVES: Final[Mapping[str, Mapping[str, float]]] = {
    store: {each.name: each.lag_ms / 1_000 for each in declared if each.lag_ms is not None}
    for store, declared in (("redis", KEY_PATTERNS), ("mongo", COLLECTIONS))
}
"""The lag objective of each view of each store, in seconds."""

MONGO_NOW: Final = {"$divide": [{"$toLong": "$$NOW"}, 1_000]}
"""MongoDB's clock within an update or an aggregation, in seconds since 1970."""


class Lag(msgspec.Struct, frozen=True):
    """The lag of a partition of a store: the messages that the log has and the store does not have, or None if that is
    not known, and the seconds since the first of them was sent.
    """

    messages: int | None
    seconds: float


class LagReport(msgspec.Struct, frozen=True, kw_only=True):
    """The lag of one partition as it was at `told_at`, in seconds since 1970 by the store's own clock: the writer's and
    the reader's may differ.
    """

    told_at: float
    messages: int | None
    seconds: float

    def at(self, now: float) -> Lag:
        """Return the lag at another time of that clock, as far as it was reported.

        A report of the future comes from a clock that was set back, and counts as little as an old one.
        """
        silent = abs(now - self.told_at)
        return Lag(self.messages, self.seconds) if silent <= SILENT_SECONDS else Lag(None, self.seconds + silent)


def lag_key(prefix: str) -> str:
    """Return the Redis hash that holds the reports; `prefix` is the installation's."""
    return stem(prefix) + LAG


def report_id(generation: int, partition: int) -> str:
    """Return the id of the newest report of a generation's partition."""
    return f"{generation}.{partition}"
