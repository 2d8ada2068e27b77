"""Lag reports: how late the views of a store are, said by the projector that fills them, in the store itself.

So whoever reads a store can tell how late its views are without asking Kafka or the projector; one that has ended or
hangs does not report any more, and its silence counts as lag. A report stands beside the generations, not in one:

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
"""How often a projector reports each partition that it has."""

SILENT_SECONDS: Final = 3.0
"""After so long without a report its age counts as lag, so that a report that comes a bit late makes no noise."""

OBJECTIVES: Final[Mapping[str, Mapping[str, float]]] = {
    store: {each.name: each.lag_ms / 1_000 for each in declared if each.lag_ms is not None}
    for store, declared in (("redis", KEY_PATTERNS), ("mongo", COLLECTIONS))
}
"""The lag objective of each view of each store, in seconds."""

MONGO_NOW: Final = {"$divide": [{"$toLong": "$$NOW"}, 1_000]}
"""MongoDB's clock within an update or an aggregation, in seconds since 1970."""


class Lag(msgspec.Struct, frozen=True):
    """How late a partition of a store is: messages that are in the log and not in the store, none where that is not
    known, and for how many seconds the first of them has been sent.
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
        """The lag at another time of that clock, as far as anyone has said. A report of the future is of a clock that
        was set back, and worth as little as an old one.
        """
        silent = abs(now - self.told_at)
        return Lag(self.messages, self.seconds) if silent <= SILENT_SECONDS else Lag(None, self.seconds + silent)


def lag_key(prefix: str) -> str:
    """The Redis hash that holds the reports; `prefix` is the installation's."""
    return stem(prefix) + LAG


def report_id(generation: int, partition: int) -> str:
    """Where the newest report of a generation's partition is."""
    return f"{generation}.{partition}"
