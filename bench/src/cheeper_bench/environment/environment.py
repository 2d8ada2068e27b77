"""The environment of a benchmark: servers of its own with durability on, and processes on given cores.

Servers run on the other cores and the measured process on its own, so that "a core" means one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import uuid4

import psycopg
from psycopg import sql

from cheeper_bench.environment import cores, durable
from cheeper_bench.environment.cores import Cores, Cpus
from cheeper_bench.environment.tuned import TunedPostgres
from cheeper_bench.errors import BenchError
from cheeper_contracts.kafka.topics import COMMANDS, EVENTS
from cheeper_local.servers import Kafka, Mongo, Postgres, Redis, Server
from cheeper_local.system import processes
from cheeper_local.system.ports import HOST, free_port
from cheeper_local.waiting import until

_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 15.0

S = TypeVar("S", bound=Server)


class Process:
    """A process of a service, or of the benchmark's own."""

    def __init__(self, started: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self._started = started
        self.log = log
        self.port = port

    @property
    def pid(self) -> int:
        """The process id."""
        return self._started.pid

    @property
    def cpu_seconds(self) -> float:
        """The CPU seconds that it has taken so far."""
        return cores.cpu_seconds(self.pid)

    def wait_ready(self, path: str = "/health/ready") -> None:
        """Wait until it responds with 200. Raise BenchError with its last line if it ends instead."""

        def ready() -> bool:
            self.check()
            url = f"http://{HOST}:{self.port}{path}"
            with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004 - OK
            return False

        until(ready, _READY_SECONDS, or_else=BenchError(f"{self.log.stem} was not ready: {self.last_words()}"))

    def check(self) -> None:
        """Raise BenchError if it has failed."""
        if self._started.poll() not in (None, 0):
            raise BenchError(f"{self.log.stem} ended with {self._started.returncode}: {self.last_words()}")

    def wait(self, seconds: float) -> None:
        """Wait until it ends by itself. Raise BenchError if it fails or takes longer."""
        try:
            self._started.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{self.log.stem} did not end within {seconds:g} s: {self.last_words()}") from None
        self.check()

    def stop(self) -> None:
        """End it as its runner would."""
        processes.stop(self._started, signal.SIGTERM, _STOP_SECONDS)

    def last_words(self) -> str:
        """Return the last line of its output."""
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1][:400] if lines else "no output"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Environment:
    """Servers, which start at first use and are wiped at the end, and the processes that were started over them."""

    def __init__(self, graph: Path | None = None, texts: Path | None = None) -> None:
        self.cores: Cores = cores.split()
        self.graph = graph
        self.texts = texts
        self._folder = Path(tempfile.mkdtemp(prefix="cheeper-bench-"))
        self._folder.chmod(0o755)  # PostgreSQL runs as an unprivileged user where this runs as root
        self._servers: dict[str, Server] = {}
        self._processes: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.stop()
        for server in reversed(self._servers.values()):
            server.wipe()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """A folder for files, which is removed at the end."""
        return self._folder

    @property
    def postgres(self) -> Postgres:
        """PostgreSQL. Raise NotDurableError."""
        server = self._server(Postgres)
        durable.check_postgres(server.url)
        return server

    @property
    def redis(self) -> Redis:
        """Redis or Valkey. Raise NotDurableError."""
        server = self._server(Redis)
        durable.check_redis(server.url)
        return server

    @property
    def mongo(self) -> Mongo:
        """MongoDB. Raise NotDurableError."""
        server = self._server(Mongo)
        durable.check_mongo(server.url)
        return server

    @property
    def kafka(self) -> Kafka:
        """Apache Kafka, since its stand-in keeps no log on disk. Raise LocalError if there is no Java."""
        server = self._server(Kafka)
        durable.check_kafka(server)
        return server

    def database(self, prefix: str = "", *, server: str | None = None) -> str:
        """Return the URL of a fresh database with the write model's schema, and create the topics of that prefix.

        It is on the PostgreSQL of the URL `server` if one is given.
        """
        url = self.bare_database(server)
        kafka = {"KAFKA_BOOTSTRAP_SERVERS": self.kafka.url, "TOPIC_PREFIX": prefix}
        self.run("write_api", "migrate", env={"DATABASE_URL": url, **kafka})
        for topic in (COMMANDS, EVENTS):
            durable.check_topic(self.kafka.url, topic.named(prefix))
        return url

    def bare_database(self, server: str | None = None) -> str:
        """Return the URL of a fresh, empty database."""
        server, name = server or self.postgres.url, f"b{uuid4().hex}"
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"{server.rpartition('/')[0]}/{name}"

    def variables(self, *, database: str | None = None, prefix: str = "") -> dict[str, str]:
        """Return the environment variables of a service's process. Start all servers except the `database`'s."""
        servers = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.url,
            "REDIS_URL": self.redis.url,
            "MONGO_URL": self.mongo.url,
            "TOPIC_PREFIX": prefix,
            "REDIS_PREFIX": prefix,
            "MONGO_DATABASE": f"cheeper{prefix.rstrip('.:')}",
        }
        return servers if database is None else {**servers, "DATABASE_URL": database}

    def start(
        self, module: str, *arguments: str, env: Mapping[str, str] | None = None, cpus: Cpus | None = None
    ) -> Process:
        """Start `python -m module`, on the measured core by default. It gets HOST and a free PORT."""
        return self.start_command([sys.executable, "-m", module, *arguments], env=env, cpus=cpus)

    def start_command(
        self, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cpus: Cpus | None = None
    ) -> Process:
        """Start a program, as `start` does."""
        port = free_port()
        log = self._folder / f"{len(self._processes)}-{Path(command[2]).name}.log"
        variables = {"HOST": HOST, "PORT": str(port), "LOG_FORMAT": "json", **(env or {})}
        with cores.on(self.cores.measured if cpus is None else cpus), log.open("wb") as output:
            started = processes.spawn(command, output=output, env={**os.environ, **variables})
        self._processes.append(Process(started, log, port))
        return self._processes[-1]

    def run(self, module: str, *arguments: str, env: Mapping[str, str], seconds: float = 300) -> Process:
        """Run `python -m module` until it ends. Raise BenchError if it fails."""
        process = self.start(module, *arguments, env=env, cpus=self.cores.all)
        process.wait(seconds)
        return process

    def another_postgres(self, name: str, settings: Mapping[str, str]) -> Postgres:
        """Return one more PostgreSQL with these settings. Raise NotDurableError."""
        server = self._server(TunedPostgres, f"postgres-{name}", lambda folder: TunedPostgres(folder, settings))
        durable.check_postgres(server.url)
        return server

    def another_redis(self, name: str) -> str:
        """Return the URL of one more Redis or Valkey."""
        return self._server(Redis, f"redis-{name}").url

    def _server(self, kind: type[S], name: str | None = None, make: Callable[[Path], S] | None = None) -> S:
        server = self._servers.get(name or kind.name)
        if server is None:
            server = (make or kind)(self._folder / (name or kind.name))  # not `fast`, which switches durability off
            with cores.on(self.cores.others):
                server.start()
            self._servers[name or kind.name] = server
        if not isinstance(server, kind):
            raise TypeError(kind.name)
        return server
