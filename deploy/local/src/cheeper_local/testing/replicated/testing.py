"""Pytest fixtures for servers with replicas, loaded by the root conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cheeper_local.servers import Redis
from cheeper_local.testing import ServerHandle
from cheeper_local.testing.replicated import MongoSet, RedisPair


@pytest.fixture(scope="module")
def mongo_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoSet]:
    """A set of three members. A test first waits until it is whole, since another one may have harmed it."""
    made = MongoSet(tmp_path_factory.mktemp("mongo-set"))
    made.start()
    yield made
    made.wipe()


@pytest.fixture
def redis_pair(own_redis: ServerHandle, tmp_path: Path) -> Iterator[RedisPair]:
    """The test's own Redis with a replica. With --servers=containers the test is skipped."""
    if not isinstance(own_redis, Redis):
        pytest.skip("the replica is a process beside its primary")
    made = RedisPair(own_redis, tmp_path / "replica")
    yield made
    made.close()
