"""The metrics of back-pressure: the worker's lag as the HTTP role sees it, and the commands that it refuses for it."""

from __future__ import annotations

import math
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from cheeper_runtime.metrics.page import Declaration

WORKER_LAG: Final = Declaration(
    "cheeper_write_api_worker_lag_messages",
    "Messages of the commands' topic that the worker has not handled, as the HTTP role sees it; NaN if unknown",
)
REFUSED: Final = Declaration(
    "cheeper_write_api_back_pressure_refused_total",
    "Commands that were refused (`overloaded`) since the worker's lag was over `WORKER_LAG_MAX`",
)


class BackPressureMetrics:
    """Metrics of the commands that are sent to the worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Gauge(WORKER_LAG.name, WORKER_LAG.documentation, registry=registry)
        self._refused = Counter(REFUSED.name.removesuffix("_total"), REFUSED.documentation, registry=registry)
        self.lag(None)

    def lag(self, messages: int | None) -> None:
        """Set the worker's lag, or None if it is unknown."""
        self._lag.set(math.nan if messages is None else messages)

    def refused(self) -> None:
        """Count a command that was refused."""
        self._refused.inc()
