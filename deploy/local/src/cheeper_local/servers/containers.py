"""The servers as containers of their official images, with the methods of the processes, for tests."""

from __future__ import annotations

import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import redis
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from testcontainers.core.container import DockerContainer
from typing_extensions import override

from cheeper_local.errors import LocalError
from cheeper_local.servers import kafka_protocol
from cheeper_local.servers.mongo import NO_CONTENT_IN_THE_LOG, TRANSACTIONS_END_SOON
from cheeper_local.system.ports import HOST, free_port
from cheeper_local.waiting import until

_START_SECONDS = 90.0
_STOP_SECONDS = 20


class ContainerServer(ABC):
    """A server in a container. Its port on this machine stays the same over stop and start."""

    name: ClassVar[str]
    image_variable: ClassVar[str]
    image_default: ClassVar[str]
    inner_port: ClassVar[int]

    def __init__(self, folder: Path, port: int | None = None, *, fast: bool = False) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.fast = fast
        self._container: DockerContainer | None = None

    @property
    def image(self) -> str:
        """The image, such as postgres:17.12."""
        return os.environ.get(self.image_variable, self.image_default)

    @property
    def url(self) -> str:
        """Return the URL for clients."""
        return f"{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Return True if the container runs."""
        if self._container is None:
            return False
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return bool(wrapped.status == "running")

    def environment(self) -> Mapping[str, str]:
        """Return the container's environment."""
        return {}

    def arguments(self) -> list[str]:
        """Return the arguments of the image's entry point."""
        return []

    @abstractmethod
    def is_ready(self) -> bool:
        """Return True if a client is served now."""

    def start(self) -> None:
        """Start and wait until a client is served. Raises LocalError."""
        if self._container is None:
            self._container = DockerContainer(self.image)
            ports: dict[str, Any] = self._container.ports
            ports[f"{self.inner_port}/tcp"] = (HOST, self.port)  # with_bind_ports would publish it to the whole network
            for name, value in self.environment().items():
                self._container.with_env(name, value)
            if self.arguments():
                self._container.with_command(self.arguments())
            self._container.start()
        else:
            self._container.get_wrapped_container().start()
        late = LocalError(f"The container of {self.image} did not become ready.")
        until(lambda: self.is_ready() or not self.running, _START_SECONDS, or_else=late)
        if not self.running:
            raise late

    def stop(self) -> None:
        """Stop it cleanly; its data stays."""
        if self.running:
            self._wrapped().stop(timeout=_STOP_SECONDS)

    def kill(self) -> None:
        """End it as a power cut would; its data stays."""
        if self.running:
            self._wrapped().kill()

    def wipe(self) -> None:
        """Remove it with its data."""
        if self._container is not None:
            self._container.stop(force=True, delete_volume=True)
            self._container = None

    def _wrapped(self) -> Any:
        assert self._container is not None  # noqa: S101 - asked for only while it runs
        return self._container.get_wrapped_container()


class PostgresContainer(ContainerServer):
    """PostgreSQL with a superuser and a database named cheeper."""

    name, image_variable, image_default, inner_port = "postgres", "POSTGRES_IMAGE", "postgres:17.12", 5432

    def __init__(self, folder: Path, port: int | None = None, *, fast: bool = False) -> None:
        super().__init__(folder, port, fast=fast)
        self._password = secrets.token_urlsafe(16)

    @property
    @override
    def url(self) -> str:
        return f"postgresql://cheeper:{self._password}@{HOST}:{self.port}/cheeper"

    @override
    def environment(self) -> Mapping[str, str]:
        return {
            "POSTGRES_USER": "cheeper",
            "POSTGRES_DB": "cheeper",
            "POSTGRES_PASSWORD": self._password,
            "POSTGRES_INITDB_ARGS": "--encoding=UTF8 --locale=C",
        }

    @override
    def arguments(self) -> list[str]:
        fast = ["-c", "fsync=off", "-c", "synchronous_commit=off"] if self.fast else []
        return ["postgres", "-c", "max_connections=200", *fast]

    @override
    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


class RedisContainer(ContainerServer):
    """Redis that never evicts, with an append-only file."""

    name, image_variable, image_default, inner_port = "redis", "REDIS_IMAGE", "redis:8.0", 6379

    @property
    @override
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    @override
    def arguments(self) -> list[str]:
        return ["redis-server", "--maxmemory", "1gb", "--maxmemory-policy", "noeviction", "--appendonly", "yes"]

    @override
    def is_ready(self) -> bool:
        try:
            with redis.Redis(host=HOST, port=self.port, socket_timeout=5) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class MongoContainer(ContainerServer):
    """mongod as a replica set of one."""

    name, image_variable, image_default, inner_port = "mongo", "MONGO_IMAGE", "mongo:8.0", 27017

    @property
    @override
    def url(self) -> str:
        return f"mongodb://{HOST}:{self.port}/?directConnection=true"

    @override
    def arguments(self) -> list[str]:
        return ["mongod", "--replSet", "rs0", "--bind_ip_all", *TRANSACTIONS_END_SOON, *NO_CONTENT_IN_THE_LOG]

    @override
    def is_ready(self) -> bool:
        try:
            with MongoClient[dict[str, Any]](self.url, serverSelectionTimeoutMS=500, socketTimeoutMS=5000) as client:
                try:
                    client.admin.command("replSetGetStatus")
                except OperationFailure:
                    member = {"_id": 0, "host": f"localhost:{self.inner_port}"}
                    client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
                return bool(client.admin.command("hello")["isWritablePrimary"])
        except PyMongoError:
            return False


class KafkaContainer(ContainerServer):
    """A broker and its controller in one container."""

    name, image_variable, image_default, inner_port = "kafka", "KAFKA_IMAGE", "apache/kafka:4.3.1", 9092

    @override
    def environment(self) -> Mapping[str, str]:
        settings = {
            "node.id": "1",
            "process.roles": "broker,controller",
            "controller.quorum.voters": "1@localhost:9093",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://:{self.inner_port},CONTROLLER://:9093",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
        }
        return {"KAFKA_" + name.upper().replace(".", "_"): value for name, value in settings.items()}

    @override
    def is_ready(self) -> bool:
        return kafka_protocol.is_ready(self.port)
