"""The metrics of this service, each declared once. The registry of a role has those of its parts.

Names are `cheeper_write_api_<what>_<unit>`, with `_total` for counters. Each label has few values: never an id, a
requested path, or what a client wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge

from cheeper_runtime.concurrency.metrics import declare
from cheeper_runtime.metrics import event_loop_delay
from cheeper_runtime.metrics import http as http_metrics
from cheeper_runtime.metrics.page import Declaration
from cheeper_runtime.rate_limits import metrics as rate_limit_metrics
from cheeper_runtime.readiness import metrics as readiness_metrics
from write_api.ops.back_pressure_metrics import REFUSED, WORKER_LAG
from write_api.ops.clock_metrics import AHEAD, DIFFERENCE
from write_api.ops.command_metrics import ACCEPTED, COMMAND_SECONDS, COMMANDS

_P: Final = "cheeper_write_api"

CONSUMED: Final = Declaration(f"{_P}_consumed_messages_total", "Messages that were handled, skipped or parked")
BATCHES: Final = Declaration(f"{_P}_consumed_batches_total", "Batches that were consumed")
PARKED: Final = Declaration(f"{_P}_parked_messages_total", "Messages that were parked", ("reason",))
LAG: Final = Declaration(f"{_P}_lag_messages", "Messages of the topic that this process has not consumed")
LAG_SECONDS: Final = Declaration(f"{_P}_lag_seconds", "Age of the oldest message in flight, 0 if there is none")
DEAD_LETTERS: Final = Declaration(f"{_P}_dead_letters", "Messages that are parked now", ("topic",))
OVERDUE: Final = Declaration(
    f"{_P}_overdue_commands", "Commands with an Idempotency-Key that were accepted over a minute ago and not handled"
)
REPLACED: Final = Declaration(
    f"{_P}_topic_replaced_timestamp_seconds",
    "Time at which the topic was found to be another one, or to have lost its end, 0 if never: what was accepted "
    "before and not handled is lost",
)
RELAYED: Final = Declaration(f"{_P}_relayed_messages_total", "Messages that Kafka has acknowledged")
SEQUENCE: Final = Declaration(
    f"{_P}_relay_sequence", "Last sequence of each partition, in the active relay", ("partition",)
)
ACTIVE: Final = Declaration(f"{_P}_relay_active", "1 in the active relay, 0 in a standby")
BACKLOG: Final = Declaration(f"{_P}_outbox_backlog_messages", "Messages of the outbox that are not sent yet")
BACKLOG_AGE: Final = Declaration(f"{_P}_outbox_backlog_age_seconds", "Age of the oldest of them, 0 if there is none")
RETAINED: Final = Declaration(
    f"{_P}_outbox_months_retained",
    "Months of the outbox that are old enough to drop by the clock, and are kept: not enough days were seen since, as "
    "after a jump of the clock",
)
BLOCKED: Final = Declaration(
    f"{_P}_outbox_blocked_seconds",
    "Time for which one and the same transaction in flight has blocked messages, 0 if none does",
)
BLOCKING_AGE: Final = Declaration(
    f"{_P}_blocking_transaction_age_seconds", "Age of the transaction that blocks messages, 0 if none does"
)
BLOCKING: Final = Declaration(
    f"{_P}_blocking_transaction_info",
    "1 for the transaction that has blocked messages for too long",
    ("pid", "database", "application", "state", "query"),
)

READY: Final = readiness_metrics.declare(_P)
LOOP_DELAY: Final = event_loop_delay.declare(_P)
HTTP: Final = http_metrics.declare(_P)
LIMITS: Final = declare(_P)
RATE_LIMITS: Final = rate_limit_metrics.declare(_P)

DECLARED: Final = (
    *(READY, LOOP_DELAY, *HTTP.all(), COMMANDS, COMMAND_SECONDS, ACCEPTED),
    *(WORKER_LAG, REFUSED, DIFFERENCE, AHEAD),
    *LIMITS.all(),
    *RATE_LIMITS.all(),
    *(CONSUMED, BATCHES, PARKED, LAG, LAG_SECONDS, DEAD_LETTERS, OVERDUE, REPLACED),
    *(RELAYED, SEQUENCE, ACTIVE, BACKLOG, BACKLOG_AGE, RETAINED, BLOCKED, BLOCKING_AGE, BLOCKING),
)


class ConsumerMetrics:
    """Metrics of what a role consumes. Lags are those of the partitions that are assigned to this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._messages = _counter(CONSUMED, registry)
        self._batches = _counter(BATCHES, registry)
        self._parked = _counter(PARKED, registry)
        self._lag = _gauge(LAG, registry)
        self._seconds = _gauge(LAG_SECONDS, registry)
        self._dead_letters = _gauge(DEAD_LETTERS, registry)
        self._overdue = _gauge(OVERDUE, registry)
        self._replaced = _gauge(REPLACED, registry)

    def consumed(self, messages: int) -> None:
        """Count a batch with that number of messages."""
        self._messages.inc(messages)
        self._batches.inc()

    def parked(self, reason: str) -> None:
        """Count a message that was parked."""
        self._parked.labels(reason).inc()

    def lag(self, messages: int) -> None:
        """Set the number of messages that are not consumed yet."""
        self._lag.set(messages)

    def lag_seconds_from(self, seconds: Callable[[], float]) -> None:
        """Set the function that gives the lag in seconds whenever the metrics are read."""
        self._seconds.set_function(seconds)

    def dead_letters(self, topic: str, count: int) -> None:
        """Set the number of parked messages of a topic."""
        self._dead_letters.labels(topic).set(count)

    def backlog(self, overdue: int, replaced_at: float | None) -> None:
        """Set the number of overdue commands, and the time at which the topic was replaced, in seconds."""
        self._overdue.set(overdue)
        self._replaced.set(replaced_at or 0)


class BlockingTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """The transaction at the horizon of the outbox, described without secrets. `age` is in seconds.

    `pid` is None for a prepared transaction, whose name is then in `application`.
    """

    pid: int | None
    database: str
    application: str
    state: str
    query: str
    age: float

    def labels(self) -> dict[str, str]:
        """Return what identifies it, as text."""
        return {
            "pid": "" if self.pid is None else str(self.pid),
            "database": self.database,
            "application": self.application,
            "state": self.state,
            "query": self.query,
        }


class RelayMetrics:
    """Metrics of the relay. The backlog is exposed by every relay, active or standby."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sent = _counter(RELAYED, registry)
        self._sequence = _gauge(SEQUENCE, registry)
        self._active = _gauge(ACTIVE, registry)
        self._backlog = _gauge(BACKLOG, registry)
        self._oldest = _gauge(BACKLOG_AGE, registry)
        self._retained = _gauge(RETAINED, registry)
        self._blocked = _gauge(BLOCKED, registry)
        self._age = _gauge(BLOCKING_AGE, registry)
        self._transaction = _gauge(BLOCKING, registry)

    def active(self, sequences: Mapping[int, int]) -> None:
        """Set this relay active, with the last sequence of each partition."""
        self._active.set(1)
        self._set_sequences(sequences)

    def standby(self) -> None:
        """Set this relay not active."""
        self._active.set(0)
        self._sequence.clear()

    def sent(self, messages: int, sequences: Mapping[int, int]) -> None:
        """Count messages that were acknowledged, and set the last sequences of their partitions."""
        self._sent.inc(messages)
        self._set_sequences(sequences)

    def backlog(self, messages: int, oldest: float) -> None:
        """Set the number of messages behind the cursor, and the age of the oldest in seconds."""
        self._backlog.set(messages)
        self._oldest.set(oldest)

    def retained(self, months: int) -> None:
        """Set the number of months that are old by the clock alone."""
        self._retained.set(months)

    def blocked(self, seconds: float, transaction: BlockingTransaction | None, *, named: bool) -> None:
        """Set the time for which `transaction` has blocked messages, and its description if it is to be `named`."""
        self._blocked.set(seconds)
        self._age.set(transaction.age if transaction else 0)
        self._transaction.clear()
        if transaction is not None and named:
            self._transaction.labels(**transaction.labels()).set(1)

    def _set_sequences(self, sequences: Mapping[int, int]) -> None:
        for partition, sequence in sequences.items():
            self._sequence.labels(str(partition)).set(sequence)


def _of(declared: Declaration) -> tuple[str, str, tuple[str, ...]]:
    return declared.name.removesuffix("_total"), declared.documentation, declared.labels


def _counter(declared: Declaration, registry: CollectorRegistry) -> Counter:
    return Counter(*_of(declared), registry=registry)


def _gauge(declared: Declaration, registry: CollectorRegistry) -> Gauge:
    return Gauge(*_of(declared), registry=registry)
