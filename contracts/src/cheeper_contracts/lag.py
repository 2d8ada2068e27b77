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


class LagReport(msgspec.Struct, frozen=True, kw_only=True):
    """Of one partition: messages in the log that the store had not applied at `told_at` (seconds since 1970), none
    where that was not known, and for how many seconds the first of them had been sent.
    """

    told_at: float
    messages: int | None
    seconds: float

    def seconds_at(self, now: float) -> float:
        """How late the views are at a later time, as far as anyone has said; `now` in seconds since 1970."""
        silent = max(0.0, now - self.told_at)
        return self.seconds + (silent if silent > SILENT_SECONDS else 0.0)


def lag_key(prefix: str) -> str:
    """The Redis hash that holds the reports; `prefix` is the installation's."""
    return stem(prefix) + LAG


def report_id(generation: int, partition: int) -> str:
    """Where the newest report of a generation's partition is."""
    return f"{generation}.{partition}"
