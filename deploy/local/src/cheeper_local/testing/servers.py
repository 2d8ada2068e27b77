"""The servers of a session of tests, as processes or as containers, and databases in them."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from cheeper_local.servers import Mongo, Postgres, Redis, Tansu, choose_broker


class ServerHandle(Protocol):
    """A server that a test may stop, kill, wipe and start again; its URL stays."""

    @property
    def url(self) -> str:
        """Return the URL for clients."""

    def start(self) -> None:
        """Start it and wait until it serves."""

    def stop(self) -> None:
        """End it cleanly; its data stays."""

    def kill(self) -> None:
        """End it as a power cut would; its data stays."""

    def wipe(self) -> None:
        """End it and remove its data."""


class Servers:
    """The servers of a session, started when first asked for."""

    def __init__(self, folder: Path, *, containers: bool = False) -> None:
        self._folder = folder
        self._containers = containers
        self._started: dict[str, ServerHandle] = {}
        self._all: list[ServerHandle] = []

    def shared(self, name: str) -> ServerHandle:
        """The session's server of that name."""
        if name not in self._started:
            self._started[name] = self.own(name)
        return self._started[name]

    def own(self, name: str) -> ServerHandle:
        """Another server of that name, started."""
        server = self._make(name, self._folder / f"{name}-{len(self._all)}")
        self._all.append(server)
        server.start()
        return server

    def close(self) -> None:
        """Stop all, the last started first, and remove their data."""
        for server in reversed(self._all):
            server.wipe()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make(self, name: str, folder: Path) -> ServerHandle:
        if self._containers:
            os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
            from cheeper_local.servers import containers  # noqa: PLC0415 - reads its settings when imported

            made: dict[str, Callable[..., ServerHandle]] = {
                "postgres": containers.PostgresContainer,
                "redis": containers.RedisContainer,
                "mongo": containers.MongoContainer,
                "kafka": containers.KafkaContainer,
            }
        else:
            made = {
                "postgres": Postgres,
                "redis": Redis,
                "mongo": Mongo,
                "kafka": lambda *args, **options: choose_broker(os.environ.get("BROKER")).broker(*args, **options),
                "tansu": Tansu,
            }
        return made[name](folder, fast=True)


@contextmanager
def database(server: str, template: str = "template1") -> Iterator[str]:
    """The libpq URL of a fresh database of a server, a copy of the template, which nobody may be connected to."""
    name = f"t{uuid.uuid4().hex}"
    names = (sql.Identifier(each) for each in (name, template))
    with closing(psycopg.connect(server, autocommit=True)) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        yield f"{server.rpartition('/')[0]}/{name}"
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
