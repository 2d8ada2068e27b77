"""Pytest fixtures for real servers, loaded by the root conftest.py.

The servers start when the first test asks for them, once per session, on free ports with data in a temporary folder,
and stop at the end. What a fixture gives is the test's own: a fresh database, a fresh prefix.
--servers=containers takes containers of the official images instead of processes.

For outages a test has servers of its own: `own_postgres`, `own_redis`, `own_mongo` and `own_kafka` are started and have
`url`, `stop()`, `start()`, `kill()` and `wipe()` (after `stop`, `kill` and `wipe` comes `start`, on the same port).
`faulty_kafka` is a Kafka of a module's tests that can be frozen, refuse us and more.
`proxy_to` puts a proxy before a server that is slow, stalls or cuts; `slow_kafka` is a Kafka of a module's tests behind
one, since a broker has to know where its clients come.
`own_tansu` is a Tansu whatever BROKER is; with containers its tests are skipped.
"""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest
import redis
from confluent_kafka import KafkaException
from pymongo import MongoClient

from cheeper_local.servers import Kafka, kafka_protocol
from cheeper_local.system.ports import HOST
from cheeper_local.testing.faults.kafka import KafkaFaults
from cheeper_local.testing.faults.proxy import Proxy
from cheeper_local.testing.servers import ServerHandle, Servers, database

_SCAN_COUNT = 1000


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --servers."""
    kinds, help_text = ("processes", "containers"), "how to run the servers of the tests (default: processes)"
    parser.getgroup("cheeper").addoption("--servers", choices=kinds, default="processes", help=help_text)


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    """The session's servers."""
    folder = Path(tempfile.mkdtemp(prefix="cheeper-test-"))
    folder.chmod(0o755)  # PostgreSQL runs as an unprivileged user where the tests run as root
    started = Servers(folder, containers=pytestconfig.option.servers == "containers")
    yield started
    started.close()


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The name of the database that `postgres_url` copies: an empty one, unless a package has one with its schema."""
    return "template1"


@pytest.fixture
def postgres_url(servers: Servers, postgres_template: str) -> Iterator[str]:
    """The libpq URL of a fresh database."""
    with database(servers.shared("postgres").url, postgres_template) as url:
        yield url


@pytest.fixture
def empty_postgres_url(servers: Servers) -> Iterator[str]:
    """The libpq URL of a fresh database without a schema."""
    with database(servers.shared("postgres").url) as url:
        yield url


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """The URL of a Redis that tests share, each with its `redis_prefix`."""
    return servers.shared("redis").url


@pytest.fixture
def redis_prefix(servers: Servers) -> Iterator[str]:
    """A prefix of this test alone; its keys are removed afterwards."""
    prefix = f"t{uuid.uuid4().hex}:"
    yield prefix
    with redis.Redis.from_url(servers.shared("redis").url) as client:
        for key in client.scan_iter(f"{prefix}*", count=_SCAN_COUNT):
            client.unlink(key)


@pytest.fixture
def mongo_url(servers: Servers) -> str:
    """The URL of a MongoDB (a replica set of one) that tests share, each with its `mongo_database`."""
    return servers.shared("mongo").url


@pytest.fixture
def mongo_database(servers: Servers) -> Iterator[str]:
    """The name of a database of this test alone, dropped afterwards."""
    name = f"t{uuid.uuid4().hex}"
    yield name
    with MongoClient[dict[str, object]](servers.shared("mongo").url) as client:
        client.drop_database(name)


@pytest.fixture
def kafka_bootstrap(servers: Servers) -> str:
    """host:port of a broker that tests share, each with its `topic_prefix`."""
    return servers.shared("kafka").url


@pytest.fixture
def topic_prefix(servers: Servers) -> Iterator[str]:
    """A prefix of topics and groups of this test alone; its topics are deleted afterwards."""
    prefix = f"t{uuid.uuid4().hex}."
    yield prefix
    with suppress(KafkaException):
        kafka_protocol.delete_topics(servers.shared("kafka").url, prefix)


def _own(name: str) -> Callable[..., Iterator[ServerHandle]]:
    def own(servers: Servers) -> Iterator[ServerHandle]:
        server = servers.own(name)
        yield server
        server.wipe()

    own.__doc__ = f"A {name} server of this test alone, started, with url, stop(), start(), kill() and wipe()."
    return own


own_postgres = pytest.fixture(_own("postgres"), name="own_postgres")
own_redis = pytest.fixture(_own("redis"), name="own_redis")
own_mongo = pytest.fixture(_own("mongo"), name="own_mongo")
own_kafka = pytest.fixture(_own("kafka"), name="own_kafka")


@pytest.fixture(scope="module")
def faulty_kafka(servers: Servers) -> Iterator[KafkaFaults]:
    """A Kafka of this module's tests alone, with its faults."""
    server = servers.own("kafka")
    yield KafkaFaults(cast("Kafka", server))
    server.wipe()


@pytest.fixture(scope="module")
def slow_kafka(servers: Servers) -> Iterator[Proxy]:
    """A proxy before a Kafka of this module's tests alone; its clients go to the proxy's address, and never past it."""
    server = cast("Kafka", servers.own("kafka"))
    proxy = Proxy((HOST, server.port))
    proxy.start()
    server.stop()
    server.more["advertised.listeners"] = f"PLAINTEXT://{proxy.address}"
    server.start()
    yield proxy
    server.wipe()
    proxy.stop()


@pytest.fixture
def own_tansu(servers: Servers, pytestconfig: pytest.Config) -> Iterator[ServerHandle]:
    """A Tansu of this test alone, for what Tansu does in its own way."""
    if pytestconfig.option.servers == "containers":
        pytest.skip("Tansu has no image")
    server = servers.own("tansu")
    yield server
    server.wipe()


@pytest.fixture
def proxy_to() -> Iterator[Callable[[str], tuple[Proxy, str]]]:
    """Makes a proxy before the server of a URL (or host:port), and gives it with the URL that goes through it."""
    made: list[Proxy] = []

    def make(url: str) -> tuple[Proxy, str]:
        (port,) = re.findall(r":(\d+)(?=[/?]|$)", url)
        proxy = Proxy((HOST, int(port)))
        proxy.start()
        made.append(proxy)
        return proxy, url.replace(f":{port}", f":{proxy.port}")

    yield make
    for proxy in made:
        proxy.stop()
