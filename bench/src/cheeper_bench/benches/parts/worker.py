"""Commands handled by one worker process, from a backlog on `cheeper.commands`: Follow and PostCheep, half each.

- *worker*: the process as it runs in the stack.
- *one by one*: the plainest handler: consume, BEGIN, the statements, COMMIT, with psycopg's prepared statements. It
  leaves the same rows: the cheep or follow, the message in the outbox, the command as handled.
- *pgbench*: the same statements as scripts, prepared, one transaction a command, at the best of 1, 8 and 16 clients:
  what the database gives where no Kafka and no Python is in its way; and with 1 client beside it.

Fair, since PostgreSQL is one and the same, with fsync on, on the other core (with Kafka), and the process that is
measured has the one core. The worker also locks the command's key, looks whether it was handled before and takes a
savepoint a command, which the others leave out. Its rate is read from the outbox's sequence; the rows are counted.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import psycopg

from cheeper_bench.baselines import loops, pgbench
from cheeper_bench.environment import cores, kafka_feed
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.graph import BEGAN
from cheeper_bench.errors import BenchError, UnavailableError
from cheeper_bench.measuring.bench import Bench, Figures, Length, Missing, Reach, Side, Sides
from cheeper_bench.measuring.progress import drained
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Command

_AUTHORS: Final = 5_000
_CLIENTS: Final = (1, 8, 16)
_PATIENCE: Final = 300
_AUTHOR_ID: Final = "00000000-0000-4000-8000-{:012x}"


class _Sizes(msgspec.Struct, frozen=True):
    commands: int
    seconds: int  # of pgbench, at each number of clients


_SIZES: Final[dict[Length, _Sizes]] = {
    "tiny": _Sizes(200, 1),
    "guard": _Sizes(1_500, 1),
    "short": _Sizes(5_000, 1),
    "long": _Sizes(30_000, 10),
}


class _Commands:
    """Backlogs, of which none has a command or a pair of authors that an earlier one had."""

    def __init__(self, environment: Environment, prefix: str) -> None:
        self._kafka, self._prefix = environment.kafka.url, prefix
        self._sent = 0
        kafka_feed.make_topics(self._kafka, prefix)

    def send(self, number: int) -> None:
        kafka_feed.send_commands(self._kafka, self._prefix, (self._next() for _ in range(number)))

    def _next(self) -> tuple[Command, Envelope]:
        self._sent += 1
        half, is_post = divmod(self._sent, 2)
        author, times = half % _AUTHORS, half // _AUTHORS
        command: Command
        if is_post:
            text = f"cheep number {self._sent}, which is about as long as most of them are"
            command = PostCheep(cheep_id=str(uuid4()), author_id=_AUTHOR_ID.format(author), message=text)
        else:
            other = (author + times + 1) % _AUTHORS
            command = Follow(
                follow_id=str(uuid4()),
                from_author_id=_AUTHOR_ID.format(author),
                to_author_id=_AUTHOR_ID.format(other),
            )
        message_id = str(uuid4())
        envelope = Envelope(
            message_id=message_id,
            type=command.TYPE,
            source="/bench",
            time=BEGAN + self._sent,
            key=command.key,
            correlation_id=message_id,
        )
        return command, envelope


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    sizes = _SIZES[length]
    sides: dict[str, Side | Missing] = {
        "worker": _worker(environment, sizes.commands),
        "one by one": _one_by_one(environment, sizes.commands),
    }
    if length != "guard":
        sides |= {"pgbench": _pgbench(environment, sizes.seconds)}
    yield sides


def _worker(environment: Environment, commands: int) -> Side:
    prefix = "w."
    url, backlog = _database(environment, prefix), _Commands(environment, prefix)
    env = {"DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": environment.kafka.url, "TOPIC_PREFIX": prefix}
    handled = 0

    def run() -> Figures:
        nonlocal handled
        backlog.send(commands)
        handled += commands
        with (
            psycopg.connect(url, autocommit=True) as watch,
            environment.start("write_api", "worker", env=env) as process,
        ):
            found = drained(_outbox_of(watch), handled, check=process.check, cost=lambda: process.cpu_seconds)
        _expect(url, handled)
        return {"commands/s": found.rate, "CPU s/million": found.cost * 1e6 / found.messages}

    return run


def _one_by_one(environment: Environment, commands: int) -> Side:
    prefix = "p."
    url, backlog = _database(environment, prefix), _Commands(environment, prefix)
    env = {"DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": environment.kafka.url, "TOPIC_PREFIX": prefix}
    some = max(100, commands // 4)  # it takes longer
    handled = 0

    def run() -> Figures:
        nonlocal handled
        backlog.send(some)
        handled += some
        process = environment.start("cheeper_bench.baselines.loops", "one-by-one", str(some), env=env)
        process.wait(_PATIENCE)
        _expect(url, handled)
        done = msgspec.json.decode(process.last_words(), type=loops.Done)
        return {"commands/s": done.messages / done.seconds}

    return run


def _pgbench(environment: Environment, seconds: int) -> Side | Missing:
    beside = environment.postgres.binary.path.resolve().parent / "pgbench"
    tool = str(beside) if beside.exists() else shutil.which("pgbench")
    if tool is None:
        return Missing("pgbench is neither on the PATH nor beside postgres")
    url = _database(environment, "g.")
    scripts = pgbench.scripts(environment.folder, _AUTHORS)

    def rate(clients: int) -> float:
        sizes = ["-c", str(clients), "-j", "1", "-T", str(seconds)]
        command = [tool, "-n", "-M", "prepared", *sizes, *(f"-f{script}" for script in scripts), url]
        with cores.on(environment.cores.measured):
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env={**os.environ, "PGOPTIONS": "-c jit=off"}
            )
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        if found is None:
            raise UnavailableError(f"pgbench failed: {done.stderr.strip()[-300:]}".replace(urlsplit(url).netloc, "…"))
        return float(found[1])

    def run() -> Figures:
        rates = {clients: rate(clients) for clients in _CLIENTS}
        return {"commands/s": max(rates.values()), "commands/s of 1 client": rates[1]}

    return run


def _database(environment: Environment, prefix: str) -> str:
    """Return a write model with the authors of the commands."""
    url = environment.database(prefix)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO authors (author_id, username, email, email_unique_form, signed_up_at)"
            f" SELECT {pgbench.AUTHOR_SQL.format('n')}, 'a' || n, 'a' || n || '@x.org', 'a' || n || '@x.org', %s"
            " FROM generate_series(0, %s) AS n",
            (BEGAN, _AUTHORS - 1),
        )
        connection.execute("VACUUM ANALYZE authors")
    return url


def _outbox_of(connection: psycopg.Connection[Any]) -> Callable[[], int]:
    def done() -> int:
        row = connection.execute("SELECT coalesce(pg_sequence_last_value('outbox_id_seq'), 0)").fetchone()
        return int(row[0]) if row else 0

    return done


def _expect(url: str, handled: int) -> None:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*), (SELECT count(*) FROM cheeps) + (SELECT count(*) FROM follows) FROM handled_commands"
        ).fetchone()
    if row != (handled, handled):
        raise BenchError(f"Of {handled} commands {row and row[0]} were handled, {row and row[1]} changed something.")


BENCH: Final = Bench(
    name="worker",
    title="Async commands handled by one worker",
    open=_open,
    lengths=("tiny", "short", "guard"),
    warm_up=False,
    reaches=(
        Reach(label="over one transaction a command", side="worker", figure="commands/s", over="one by one", wanted=5),
        Reach(label="over pgbench at its best", side="worker", figure="commands/s", over="pgbench", wanted=0.5),
        Reach(
            label="over pgbench with 1 client",
            side="worker",
            figure="commands/s",
            over="pgbench",
            over_figure="commands/s of 1 client",
        ),
    ),
)
