"""The metrics of commands: their outcomes, and the time until they are handled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from cheeper_runtime.metrics.observations import Observations
from cheeper_runtime.metrics.page import Declaration, Families

_P: Final = "cheeper_write_api"
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
CHANGED, UNCHANGED, REJECTED, REPEATED = "changed", "unchanged", "rejected", "repeated"

COMMANDS: Final = Declaration(
    f"{_P}_commands_total",
    "Commands by outcome: changed, unchanged, rejected, or repeated (the response is the one given before)",
    ("type", "outcome", "code"),
)
COMMAND_SECONDS: Final = Declaration(
    f"{_P}_command_handled_seconds",
    "Time from the request of a command to the commit of its transaction, the way to the worker included; by the "
    "clocks of both processes",
    ("type",),
    histogram=True,
)
ACCEPTED: Final = Declaration(f"{_P}_commands_accepted_total", "Commands that were sent to the worker", ("type",))


class CommandMetrics(Collector):
    """Metrics of commands by type and outcome."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._handled = Counter(*_of(COMMANDS), registry=registry)
        self._accepted = Counter(*_of(ACCEPTED), registry=registry)
        self._seconds: dict[str, Observations] = {}
        registry.register(self)

    def handled(self, type_: str, *, changed: bool, code: str | None, repeated: bool, seconds: float) -> None:
        """Count a command whose transaction has committed, that many seconds after its request. `code` is the one of
        its rejection. The time of a repeated one is not observed, since it was handled before.
        """
        if repeated:
            outcome = REPEATED
        elif code is not None:
            outcome = REJECTED
        else:
            outcome = CHANGED if changed else UNCHANGED
        self._handled.labels(type_, outcome, code or "").inc()
        if not repeated:
            observed = self._seconds.get(type_)
            if observed is None:
                observed = self._seconds[type_] = Observations(BUCKETS)
            observed.observe(seconds)

    def accepted(self, type_: str) -> None:
        """Count a command that the broker has acknowledged."""
        self._accepted.labels(type_).inc()

    def describe(self) -> Iterator[Metric]:
        """Return nothing, so that registering the collector does not collect."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Return the times of commands; the counters are in the registry themselves."""
        families = Families((COMMAND_SECONDS,))
        for type_, observed in self._seconds.copy().items():
            observed.add_to(families, COMMAND_SECONDS, type_)
        return iter(families)


def _of(declared: Declaration) -> tuple[str, str, tuple[str, ...]]:
    return declared.name.removesuffix("_total"), declared.documentation, declared.labels
