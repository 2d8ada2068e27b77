"""The progress of one consumer, for metrics and lag reports."""

from __future__ import annotations

from collections.abc import Mapping

from cheeper_contracts.views.generations import FIRST
from cheeper_contracts.views.lag import Lag
from projector.consumer.partition import Counts, Partition
from projector.kafka.log_end import LogEndHistory
from projector.stores.base import Backlog


class Progress:
    """Of one store and generation. Each attribute is replaced in one step, so any thread may read it."""

    def __init__(self, store: str, generation: int = FIRST) -> None:
        self.store = store
        self.generation = generation
        self.counts = Counts()
        self.partitions: Mapping[int, Partition] = {}  # those that are assigned now
        self.backlog: Backlog | None = None  # unknown while the store is unavailable

    def retried(self, error: Exception) -> None:
        """Count an attempt that failed because the store was unavailable."""
        self.counts.retries[type(error.__cause__ or error).__name__] += 1

    def lags(self, ends: LogEndHistory) -> dict[int, Lag]:
        """Return the lag of each partition that is assigned."""
        return {number: partition.lag(ends) for number, partition in self.partitions.items()}
