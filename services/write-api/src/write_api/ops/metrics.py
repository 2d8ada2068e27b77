"""The metrics of this service, each declared once. A role's registry has those of the parts that it runs.

Names are `cheeper_write_api_<what>_<unit>`, with `_total` for what only rises. Labels are of few values each: never
an id, a path as it was asked for, or what an author wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

_P: Final = "cheeper_write_api"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

CHANGED, UNCHANGED, REJECTED, REPEATED = "changed", "unchanged", "rejected", "repeated"


def new_registry() -> CollectorRegistry:
    """A registry for one process, which tells of the process itself too."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


class HttpMetrics:
    """Requests, by the template of the route that answered; `none` where there was none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        told = ("route", "method", "status")
        self._requests = Counter(f"{_P}_http_requests", "Requests that were answered", told, registry=registry)
        self._seconds = Histogram(
            f"{_P}_http_request_duration_seconds",
            "From a request's head to the end of its answer",
            ("route", "method"),
            buckets=_SECONDS,
            registry=registry,
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(seconds)


class CommandMetrics:
    """Commands, by type and by what became of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._handled = Counter(
            f"{_P}_commands",
            "Commands by outcome: changed, unchanged, rejected, or repeated and answered as before",
            ("type", "outcome", "code"),
            registry=registry,
        )
        self._accepted = Counter(
            f"{_P}_commands_accepted", "Commands that were sent to the worker", ("type",), registry=registry
        )

    def handled(self, type_: str, *, changed: bool, code: str | None, repeated: bool) -> None:
        """A command's transaction has committed. `code` is that of its refusal."""
        if repeated:
            outcome = REPEATED
        elif code is not None:
            outcome = REJECTED
        else:
            outcome = CHANGED if changed else UNCHANGED
        self._handled.labels(type_, outcome, code or "").inc()

    def accepted(self, type_: str) -> None:
        """The broker has a command."""
        self._accepted.labels(type_).inc()


class ConsumerMetrics:
    """What a role consumes, and how far it is behind. Lags are those of the partitions that this process has."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._messages = Counter(
            f"{_P}_consumed_messages", "Messages that are done with, parked ones too", registry=registry
        )
        self._batches = Counter(f"{_P}_consumed_batches", "Batches that are done with", registry=registry)
        self._parked = Counter(f"{_P}_parked_messages", "Messages that were parked", ("reason",), registry=registry)
        self._lag = Gauge(
            f"{_P}_lag_messages", "Messages that the topic has and this process has not done", registry=registry
        )
        self._seconds = Gauge(
            f"{_P}_lag_seconds", "Age of the oldest message in hand, 0 where there is none", registry=registry
        )
        self._letters = Gauge(
            f"{_P}_dead_letters", "Messages that wait in the dead letters", ("topic",), registry=registry
        )

    def done(self, messages: int) -> None:
        """A batch is done with."""
        self._messages.inc(messages)
        self._batches.inc()

    def parked(self, reason: str) -> None:
        """A message was parked."""
        self._parked.labels(reason).inc()

    def lag(self, messages: int) -> None:
        """So many messages are still to come."""
        self._lag.set(messages)

    def seconds_from(self, behind: Callable[[], float]) -> None:
        """Ask this for the seconds behind whenever the metrics are read."""
        self._seconds.set_function(behind)

    def letters(self, topic: str, waiting: int) -> None:
        """So many letters of a topic wait."""
        self._letters.labels(topic).set(waiting)


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The transaction that holds the horizon of the outbox, in words without secrets.

    `pid` is none for a prepared transaction, whose name is then in `application`.
    """

    pid: int | None
    database: str
    application: str
    state: str
    query: str
    age: float

    def told(self) -> dict[str, str]:
        """What names it, as text."""
        return {
            "pid": "" if self.pid is None else str(self.pid),
            "database": self.database,
            "application": self.application,
            "state": self.state,
            "query": self.query,
        }


class RelayMetrics:
    """What the relay has sent, and what waits for it. What waits is told by each relay, at work or standing by."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sent = Counter(f"{_P}_relayed_messages", "Messages that Kafka has confirmed", registry=registry)
        self._sequence = Gauge(
            f"{_P}_relay_sequence",
            "The last sequence of each partition, of the relay at work",
            ("partition",),
            registry=registry,
        )
        self._active = Gauge(
            f"{_P}_relay_active", "1 for the relay at work, 0 for one that stands by", registry=registry
        )
        self._waiting = Gauge(
            f"{_P}_outbox_waiting_messages", "Messages of the outbox behind the cursor", registry=registry
        )
        self._oldest = Gauge(
            f"{_P}_outbox_waiting_seconds", "Age of the oldest of them, 0 where there is none", registry=registry
        )
        self._held = Gauge(
            f"{_P}_outbox_held_seconds",
            "For how long messages have waited for one and the same transaction in flight, 0 where none do",
            registry=registry,
        )
        self._age = Gauge(
            f"{_P}_horizon_age_seconds",
            "Age of the transaction that messages wait for, 0 where none do",
            registry=registry,
        )
        self._holder = Gauge(
            f"{_P}_horizon_holder_info",
            "1 for the transaction that messages have waited for too long",
            ("pid", "database", "application", "state", "query"),
            registry=registry,
        )

    def at_work(self, sequences: Mapping[int, int]) -> None:
        """The relay is at work, and these are the last sequences."""
        self._active.set(1)
        self._tell(sequences)

    def stands_by(self) -> None:
        """The relay is not at work."""
        self._active.set(0)
        self._sequence.clear()

    def sent(self, messages: int, sequences: Mapping[int, int]) -> None:
        """So many messages were confirmed, and the last sequences of their partitions."""
        self._sent.inc(messages)
        self._tell(sequences)

    def waiting(self, messages: int, oldest: float) -> None:
        """So many messages are behind the cursor; the age of the oldest in seconds."""
        self._waiting.set(messages)
        self._oldest.set(oldest)

    def held(self, seconds: float, holder: Holder | None, *, named: bool) -> None:
        """Messages have waited so long for `holder`, told by name if it is to be `named`."""
        self._held.set(seconds)
        self._age.set(holder.age if holder else 0)
        self._holder.clear()
        if holder is not None and named:
            self._holder.labels(**holder.told()).set(1)

    def _tell(self, sequences: Mapping[int, int]) -> None:
        for partition, sequence in sequences.items():
            self._sequence.labels(str(partition)).set(sequence)
