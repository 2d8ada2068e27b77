"""The metric of a process's readiness, which is the same for each process but for the beginning of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from cheeper_runtime.metrics.page import Declaration, Families

Met = Callable[[], Mapping[str, bool]]
"""Returns of each need whether it is met: `Readiness.met`."""


def declare(prefix: str) -> Declaration:
    """Return the metric whose name begins with this prefix."""
    return Declaration(f"{prefix}_ready", "1 while a need of the process's readiness is met, 0 while not", ("need",))


def add_needs(families: Families, metric: Declaration, met: Met) -> None:
    """Add a sample for each need."""
    for name, ok in met().items():
        families.add(metric, ok, name)


class ReadinessCollector(Collector):
    """Exposes a readiness in a registry."""

    def __init__(self, declared: Declaration, met: Met) -> None:
        self._declared = declared
        self._met = met

    def describe(self) -> Iterator[Metric]:
        """Return nothing, so that registering the collector does not collect."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Return the current samples."""
        families = Families((self._declared,))
        add_needs(families, self._declared, self._met)
        return iter(families)
