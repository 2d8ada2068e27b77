"""Faults of Redis: it is full, or it is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_e2e.faults.alerting.scene import Scene
from cheeper_local.waiting import until


@contextmanager
def full_redis(scene: Scene) -> Iterator[None]:
    """Redis reaches its limit of memory while a post is on its way to timelines. The repair lifts the limit."""
    client, prefix = scene.redis(), scene.environment["REDIS_PREFIX"]
    tasks = [views.TASK_AUTHORS.key(prefix, partition) for partition in range(PARTITIONS)]

    def is_full_with_tasks() -> bool:
        until(lambda: client.exists(*tasks))
        client.config_set("maxmemory", "1mb")
        if client.exists(*tasks):
            return True
        client.config_set("maxmemory", "0")
        return False

    until(is_full_with_tasks)
    yield
    client.config_set("maxmemory", "0")
    client.close()


@contextmanager
def no_redis(scene: Scene) -> Iterator[None]:
    """Redis is stopped. The repair starts it."""
    scene.stack.server("redis", "stop")
    yield
    scene.stack.server("redis", "start")
