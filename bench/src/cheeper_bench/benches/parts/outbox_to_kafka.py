"""The outbox to Kafka: how long after its commit an event is there, and how fast a backlog goes.

- *relay*: the process as it runs in the stack, woken by the hint that writers send after each commit.
- *Debezium*: its embedded engine with the outbox event router, pgoutput, large batches, a poll of 1 ms, and a sink with
  Kafka's own client and the relay's settings (idempotent, acks=all), as a Java process without any Python.

The backlog is one transaction: it is there all at once, while both processes are warm, so no start-up and no compiler
of Java's is in the figure. Then single commits come, 100 a second, and a consumer notes when each is read from Kafka.

Fair, since both read the same table, filled by the same statements, of a PostgreSQL with the same settings (fsync on,
wal_level=logical): an instance each, for Debezium's slot would otherwise read all that the relay's turn writes. Neither
process is bound to a core; the servers have one. The drain counts from the first message that is in Kafka, so neither
the relay's next poll nor Debezium's spooling of the large transaction before its end is in it. Debezium promises less:
no sequence, and no beginning again where Kafka was wiped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast
from uuid import uuid4

import msgspec
import psycopg

from cheeper_bench.baselines import debezium
from cheeper_bench.environment import kafka_feed, seeding
from cheeper_bench.environment.environment import Environment, Process
from cheeper_bench.environment.events import NumberedEvent, Numbering
from cheeper_bench.environment.graph import BEGAN
from cheeper_bench.errors import BenchError, UnavailableError
from cheeper_bench.measuring.bench import Bench, Figures, Length, Missing, Reach, Side, Sides
from cheeper_bench.measuring.progress import drained
from cheeper_bench.measuring.spread import percentile
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.kafka.topics import EVENTS
from cheeper_local.waiting import until
from write_api.outbox.writer import CHANNEL

_RATE: Final = 100
_PATIENCE: Final = 60.0
_AUTHORS: Final = 1_000
_INSERT: Final = """
INSERT INTO outbox (message_id, type, source, "time", key, correlation_id, reply_to, payload)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


class _Sizes(msgspec.Struct, frozen=True):
    backlog: int
    singles: int


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes(500, 20),
    "short": _Sizes(100_000, 100),
    "long": _Sizes(500_000, 1_000),
}


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    relay = _Outbox(environment, "relay", "r.", sizes)
    relay.process = environment.start("write_api", "relay", env=relay.env, cpus=environment.cores.all)
    relay.process.wait_ready()
    sides: dict[str, Side | Missing] = {"relay": relay.run}
    try:
        theirs = _Outbox(environment, "debezium", "d.", sizes)
        theirs.process = debezium.start(environment, theirs.env["DATABASE_URL"], theirs.topic)
        sides["Debezium"] = theirs.run
    except UnavailableError as error:
        sides["Debezium"] = Missing(str(error))
    yield sides


class _Outbox:
    """An outbox, the process that empties it, and the topic that it goes to."""

    process: Process

    def __init__(self, environment: Environment, name: str, prefix: str, sizes: _Sizes) -> None:
        self._sizes = sizes
        self._kafka = environment.kafka.url
        server = environment.another_postgres(name, {"wal_level": "logical"}).url
        self.env = {
            "DATABASE_URL": environment.database(prefix, server=server),
            "KAFKA_BOOTSTRAP_SERVERS": self._kafka,
            "TOPIC_PREFIX": prefix,
        }
        self.topic = EVENTS.named(prefix)
        self._ends = kafka_feed.Ends(self._kafka, self.topic)
        self._numbering = Numbering()
        self._written = 0

    def run(self) -> Figures:
        backlog = [self._next() for _ in range(self._sizes.backlog)]
        before = self._ends.all()
        feeding = threading.Thread(target=seeding.copy_outbox, args=(self.env["DATABASE_URL"], backlog))
        feeding.start()
        found = drained(
            self._ends.all, before + len(backlog), check=self.process.check, cost=lambda: self.process.cpu_seconds
        )
        feeding.join()
        latencies = self._singles()
        return {
            "events/s": found.rate,
            "CPU s/million": found.cost * 1e6 / found.messages,
            "p50 ms": percentile(latencies, 50),
            "p99 ms": percentile(latencies, 99),
        }

    def _singles(self) -> list[float]:
        """Return the milliseconds from commit to read, of single commits at an even rate."""
        committed: dict[str, float] = {}
        read: dict[str, float] = {}
        stop = threading.Event()
        consumer = kafka_feed.reader(self._kafka, self.topic, self._ends.by_partition())
        consumer.poll(0.2)  # it has its partitions
        reading = threading.Thread(target=_note, args=(consumer, read, stop))
        reading.start()
        try:
            with psycopg.connect(self.env["DATABASE_URL"], autocommit=True, prepare_threshold=0) as connection:
                begins = time.monotonic()
                for number in range(self._sizes.singles):
                    time.sleep(max(0.0, begins + number / _RATE - time.monotonic()))
                    row = seeding.outbox_row(self._next())
                    connection.execute(_INSERT, row)
                    committed[row[0]] = time.monotonic()
                    connection.execute(f"NOTIFY {CHANNEL}")  # as the product's writers do, after the commit
            missing = BenchError("Not all single commits reached Kafka.")
            until(lambda: committed.keys() <= read.keys(), _PATIENCE, or_else=missing)
        finally:
            stop.set()
            reading.join()
            consumer.close()
        return [(read[one] - committed[one]) * 1000 for one in committed]

    def _next(self) -> NumberedEvent:
        self._written += 1
        author = f"00000000-0000-4000-8000-{self._written % _AUTHORS:012x}"
        event = CheepPosted(
            cheep_id=str(uuid4()),
            author_id=author,
            author_username="somebody",
            message="a cheep of some sixty characters, as most of them are by now",
            cheep_date=BEGAN + self._written,
        )
        return self._numbering.number(event, str(uuid4()), BEGAN + self._written, reply_to=str(uuid4()))


def _note(consumer: Any, read: dict[str, float], stop: threading.Event) -> None:
    while not stop.is_set():
        message = consumer.poll(0.05)
        if message is not None and message.error() is None:
            headers = dict(cast("list[tuple[str, bytes]]", message.headers() or []))
            read[(headers.get("ce_id") or headers.get("id") or b"").decode().strip('"')] = time.monotonic()


BENCH: Final = Bench(
    name="outbox_to_kafka",
    title="Outbox to Kafka",
    open=_open,
    lengths=("tiny", "short", "long"),
    reaches=(
        Reach(
            label="median latency over Debezium's",
            side="relay",
            figure="p50 ms",
            over="Debezium",
            wanted=0.5,
            at="most",
        ),
        Reach(label="drain rate over Debezium's", side="relay", figure="events/s", over="Debezium", wanted=1),
        Reach(label="CPU seconds over Debezium's", side="relay", figure="CPU s/million", over="Debezium"),
    ),
)
