"""No figure counts with a property switched off: each server's settings are checked for durability."""

from __future__ import annotations

from typing import Any, Final, cast

import psycopg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from pymongo import MongoClient
from redis import Redis

from cheeper_bench.errors import NotDurableError
from cheeper_local.servers import Server
from cheeper_local.waiting import until

_ON: Final = ("fsync", "synchronous_commit", "full_page_writes")
_SECONDS: Final = 10

PRODUCER: Final[dict[str, Any]] = {"enable.idempotence": True, "acks": "all", "linger.ms": 5, "log_level": 2}
"""The settings of each producer of the benchmarks, which writes as the relay does."""


def check_postgres(url: str) -> None:
    """Raise NotDurableError if a commit may be lost."""
    with psycopg.connect(url) as connection:
        for name in _ON:
            row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
            if row != ("on",):
                raise NotDurableError(f"PostgreSQL runs with {name}={row and row[0]}: nothing is counted.")


def check_redis(url: str) -> None:
    """Raise NotDurableError if Redis keeps no file, leaves writing it to the system, or evicts keys."""
    wanted = {"appendonly": ("yes",), "appendfsync": ("everysec", "always"), "maxmemory-policy": ("noeviction",)}
    with Redis.from_url(url, decode_responses=True) as client:
        for name, values in wanted.items():
            found = cast("dict[str, str]", client.config_get(name)).get(name)
            if found not in values:
                raise NotDurableError(f"Redis runs with {name}={found}: nothing is counted.")


def check_mongo(url: str) -> None:
    """Raise NotDurableError if a write that a majority confirmed may be in no journal."""
    with MongoClient[dict[str, Any]](url) as client:
        config = client.admin.command("replSetGetConfig")["config"]
    if not config.get("writeConcernMajorityJournalDefault", True):
        raise NotDurableError("MongoDB confirms a majority's writes without its journal: nothing is counted.")


def check_kafka(server: Server) -> None:
    """Raise NotDurableError if the broker is one that keeps its log in memory alone."""
    if not getattr(server, "durable", False):
        raise NotDurableError(f"The broker {server.name} keeps nothing on disk: nothing is counted.")


def check_topic(bootstrap_servers: str, topic: str) -> None:
    """Raise NotDurableError if a topic loses events with time."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})

    def ask() -> dict[str, Any] | None:
        try:
            return cast("dict[str, Any]", admin.describe_configs([resource])[resource].result(_SECONDS))
        except KafkaException:
            return None  # it has just been made

    config = until(ask, _SECONDS, what=f"the topic {topic}") or {}
    if config["retention.ms"].value != "-1":
        raise NotDurableError(f"{topic} keeps its messages for {config['retention.ms'].value} ms: nothing is counted.")
