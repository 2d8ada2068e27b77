"""The processes of a stack, on servers that all have replicas."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from cheeper_local.errors import LocalError
from cheeper_local.runner import roles
from cheeper_local.runner.child import Spec
from cheeper_local.servers import Postgres, Redis
from cheeper_local.settings import from_env
from cheeper_local.stack_folder import StackFolder
from cheeper_local.system import processes
from cheeper_local.system.ports import HOST, free_port
from cheeper_local.testing.replicated import KafkaCluster, MongoSet, PostgresPair, RedisPair
from cheeper_local.waiting import until

_START_SECONDS: Final = 300.0
_STOP_SECONDS: Final = 60.0


class ReplicatedStack:
    """A stack in `folder` while a block lasts, on a Kafka of three brokers, a MongoDB of three, a Redis with a replica,
    and a PostgreSQL whose commits wait for its standby. Raise LocalError, with nothing left running.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = StackFolder(folder)
        self._postgres, self._redis = (
            Postgres(folder / "postgres", fast=True),
            Redis(folder / "redis", fast=True),
        )
        self.kafka, self.mongo = KafkaCluster(folder / "kafka"), MongoSet(folder / "mongo")
        self._pairs: tuple[PostgresPair, RedisPair] | None = None
        self._settings = from_env({"PORT": str(free_port()), "DATA": str(folder), "INSPECTOR": "off"})
        self._processes: dict[str, tuple[Spec, subprocess.Popen[bytes]]] = {}

    @property
    def gateway(self) -> str:
        """The URL for clients."""
        return self._settings.gateway

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that every role reads about the servers."""
        return roles.environment(self._urls)

    @property
    def postgres(self) -> PostgresPair:
        """The PostgreSQL and its standby."""
        return self._started[0]

    @property
    def redis(self) -> RedisPair:
        """The Redis and its replica."""
        return self._started[1]

    def __enter__(self) -> Self:
        try:
            self._start_servers()
            self._start_processes()
            self.wait_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def wait_ready(self) -> None:
        """Wait until every process is ready. Raise LocalError."""
        for name in self._processes:
            late = LocalError(f"{name} was not ready within {_START_SECONDS:g} s; see {self._folder.logs}.")
            until(partial(self._is_ready, name), _START_SECONDS, or_else=late)

    def ended(self) -> list[str]:
        """Return the names of the processes that have ended."""
        return [name for name, (_, process) in self._processes.items() if process.poll() is not None]

    @property
    def _started(self) -> tuple[PostgresPair, RedisPair]:
        if self._pairs is None:
            raise LocalError("The stack has not been started.")
        return self._pairs

    @property
    def _urls(self) -> dict[str, str]:
        return {
            "postgres": self.postgres.url,
            "redis": self.redis.url,
            "mongo": self.mongo.url,
            "kafka": self.kafka.url,
        }

    def _start_servers(self) -> None:
        self._folder.make()
        self._postgres.start()
        self._redis.start()
        folder = self._folder.path
        postgres = PostgresPair(self._postgres, folder / "standby")
        self._pairs = postgres, RedisPair(self._redis, folder / "replica")
        postgres.confirm_by_standby()
        self.mongo.start()
        self.kafka.start()

    def _start_processes(self) -> None:
        made = roles.Roles(self._settings, self._folder.path, roles.real_commands())
        names = [name for group in made.names().values() for name in group]
        migrate = made.migrate(self._urls)
        if self._spawn(migrate).wait(_START_SECONDS) != 0:
            raise LocalError(f"write-api migrate failed; see {self._folder.logs}.")
        for spec in made.specs(self._urls, self._folder.ports(names)):
            self._processes[spec.name] = spec, self._spawn(spec)

    def _spawn(self, spec: Spec) -> subprocess.Popen[bytes]:
        environ = {**os.environ, **spec.environment}
        with (self._folder.logs / f"{spec.name}.log").open("ab") as log:
            return processes.spawn(spec.command, output=log, env=environ)

    def _is_ready(self, name: str) -> bool:
        spec, process = self._processes[name]
        if process.poll() is not None:
            raise LocalError(f"{name} has ended with exit code {process.returncode}; see {self._folder.logs}.")
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://{HOST}:{spec.port}{spec.health}", timeout=5).is_success
        return False

    def _stop(self) -> None:
        for _, process in self._processes.values():
            process.terminate()
        for _, process in self._processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            process.kill()
        for pair in self._pairs or ():
            pair.close()
        for server in (self._postgres, self._redis, self.mongo, self.kafka):
            server.wipe()
