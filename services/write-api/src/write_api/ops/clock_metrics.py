"""The metrics of clocks: how far this process's differs from the database's, and what a wrong one has left."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from cheeper_runtime.metrics.page import Declaration

DIFFERENCE: Final = Declaration(
    "cheeper_write_api_clock_difference_seconds",
    "Database's clock minus this process's, at the last transaction: what is stored has the database's time",
)
AHEAD: Final = Declaration(
    "cheeper_write_api_dates_ahead_total",
    "Authors who were read while a cheep of theirs was over 10 minutes ahead of the database's clock, and had no "
    "influence on the next date",
)


class ClockMetrics:
    """Metrics of what transactions find out about clocks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._difference = Gauge(DIFFERENCE.name, DIFFERENCE.documentation, registry=registry)
        self._ahead = Counter(AHEAD.name.removesuffix("_total"), AHEAD.documentation, registry=registry)

    def difference(self, microseconds: int) -> None:
        """Set by how much the database's clock is ahead of this process's."""
        self._difference.set(microseconds / 1_000_000)

    def ahead(self, authors: int) -> None:
        """Count authors with a cheep that is too far ahead."""
        self._ahead.inc(authors)
