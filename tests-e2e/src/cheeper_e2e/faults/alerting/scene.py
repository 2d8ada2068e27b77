"""The scene of faults: a stack in use, its Prometheus, and the settings that the faults need."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psycopg
import redis

from cheeper_e2e.faults.alerting.prometheus import Prometheus
from cheeper_e2e.faults.alerting.usage import Usage
from cheeper_local.running import RunningStack

SPEED: Final = 60
"""Windows and waiting times of the rules are this many times shorter."""
LAG_MAX: Final = 150


def settings(leak: Path) -> dict[str, str]:
    """Return the variables of the stack. `leak` is a file that names the process that leaks memory."""
    return {
        "OBSERVE": str(SPEED),
        "FANOUT_INLINE_MAX": "0",
        "FANOUT_SLICE": "1",
        "WORKER_LAG_MAX": str(LAG_MAX),
        "OUTBOX_RETENTION_DAYS": "30",
        "COMMAND_TRANSPORTS": "PostCheep=async,SignUp=sync,UpdateProfile=sync",
        "LEAK": str(leak),
        "PYTHONPATH": str(Path(__file__).with_name("leak")),
    }


class Scene:
    """A stack in use, with its Prometheus. Any thread may use it."""

    def __init__(self, stack: RunningStack, prometheus: Prometheus, usage: Usage, leak: Path) -> None:
        self.stack = stack
        self.prometheus = prometheus
        self.usage = usage
        self.leak = leak
        self.environment: Mapping[str, str] = stack.environment

    def database(self) -> psycopg.Connection[tuple[object, ...]]:
        """Return a new connection of the owner, which commits each statement."""
        return psycopg.connect(self.environment["DATABASE_URL"], autocommit=True)

    def redis(self) -> redis.Redis:
        """Return a new client of Redis."""
        return redis.Redis.from_url(self.environment["REDIS_URL"])

    @property
    def bootstrap(self) -> str:
        """The broker's address."""
        return self.environment["KAFKA_BOOTSTRAP_SERVERS"]

    def topic(self, name: str) -> str:
        """Return the name of a topic of this stack."""
        return f"{self.environment['TOPIC_PREFIX']}{name}"
