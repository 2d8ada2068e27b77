"""The contents of the queues and stores of a local stack, for the demo to print. It only reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, Self

import msgspec
import psycopg
import redis
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from psycopg.rows import dict_row
from pymongo import MongoClient
from pymongo.database import Database

from cheeper_contracts import views
from cheeper_contracts.kafka import topics
from cheeper_contracts.views import generations
from cheeper_local.text import counted
from cheeper_local.waiting import until

_KAFKA_SECONDS: Final = 10
_WORKER: Final = "cheeper.worker"
_NO_GROUP: Final = "cheeper.demo"
_SHOWN_ID: Final = 8

_NOT_RELAYED: Final = """
    SELECT count(*) AS n FROM outbox o
     WHERE NOT EXISTS (SELECT FROM relay_cursor c WHERE (o.epoch, o.xid, o.id) <= (c.epoch, c.xid, c.id))
"""
_TABLES: Final = {
    "authors": "SELECT author_id::text, username FROM authors ORDER BY signed_up_at",
    "follows": "SELECT from_author_id::text, to_author_id::text FROM follows ORDER BY followed_at",
    "cheeps": "SELECT cheep_id::text, author_id::text, message FROM cheeps ORDER BY cheep_date",
    "outbox": "SELECT type, key FROM outbox ORDER BY epoch, xid, id",
}


class Stores:
    """The stores behind the URLs of a process's environment; of the views, the live generation."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._topic_prefix = env.get("TOPIC_PREFIX", "")
        self._installation = env.get("REDIS_PREFIX", "")
        self._postgres = psycopg.connect(env["DATABASE_URL"], autocommit=True, row_factory=dict_row)
        self._redis: Any = redis.Redis.from_url(env["REDIS_URL"])  # its types leave bytes or text open
        self._mongo: MongoClient[dict[str, Any]] = MongoClient(env["MONGO_URL"])
        self._database = env.get("MONGO_DATABASE", "cheeper")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._postgres.close()
        self._redis.close()
        self._mongo.close()

    def queues(self) -> dict[str, str]:
        """Return what waits in the book's four queues, in words."""
        in_outbox = self._one(_NOT_RELAYED)
        sent = self._one("SELECT coalesce(sum(last_sequence), 0) AS n FROM relay_partitions")
        parked = sum(self._redis.scard(key) for key in self._keys(views.PARKED_KEYS))
        parked += self._documents[views.PARKED_MESSAGES.name].count_documents({})
        tasks = sum(self._redis.llen(key) for key in self._keys(views.TASKS))
        return {
            "commands": f"{self._lag(topics.COMMANDS, _WORKER)} for the worker",
            "events": f"{in_outbox} in the outbox for the relay; for the projector {sent - self._applied_in_redis()} "
            f"of Redis and {sent - self._applied_in_mongo()} of MongoDB",
            "projections": f"{counted(tasks, 'fan-out task')} waiting",
            "failed messages": f"{counted(self._lag(topics.DEAD_LETTERS, _NO_GROUP), 'dead letter')}, {parked} parked",
        }

    def contents(self) -> Iterator[tuple[str, str, list[str]]]:
        """Yield each store, each of its tables, key families or collections, and its content, a line per entry."""
        for table, query in _TABLES.items():
            rows = self._postgres.execute(query).fetchall()
            yield "PostgreSQL", table, [", ".join(_short(value) for value in row.values()) for row in rows]
        for pattern in (views.AUTHOR_COUNTERS, views.FOLLOWERS, views.AUTHOR_CHEEPS, views.TIMELINE):
            lines = [f"{_short(key.rpartition(b':')[2])}: {self._value(key)}" for key in sorted(self._keys(pattern))]
            yield "Redis", pattern.name, lines
        for collection in (views.AUTHORS, views.CHEEPS):
            documents = self._documents[collection.name].find().sort("_id")
            yield "MongoDB", collection.name, [_document(document) for document in documents]

    def _one(self, query: str) -> int:
        row = self._postgres.execute(query.encode()).fetchone()
        return 0 if row is None else int(row["n"])

    def _lag(self, topic: topics.Topic, group: str) -> int:
        """Return the number of messages of a topic that a group has not committed."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._env["KAFKA_BOOTSTRAP_SERVERS"],
                "group.id": self._topic_prefix + group,
                "enable.auto.commit": False,
            }
        )
        name = topic.named(self._topic_prefix)
        try:
            done = until(partial(_committed, consumer, name, topic.partitions), what=f"the broker knows {group}") or []
            ends = (consumer.get_watermark_offsets(each, timeout=_KAFKA_SECONDS) for each in done)
            return sum(end - max(first, each.offset) for (first, end), each in zip(ends, done, strict=True))
        finally:
            consumer.close()

    def _applied_in_redis(self) -> int:
        return sum(int(self._redis.hget(key, "sequence") or 0) for key in self._keys(views.CHECKPOINT))

    def _applied_in_mongo(self) -> int:
        return sum(int(found["sequence"]) for found in self._documents[views.CHECKPOINTS.name].find())

    @property
    def _redis_prefix(self) -> str:
        """The prefix of the live generation."""
        live = self._redis.hget(generations.registry_key(self._installation), generations.LIVE)
        return generations.prefix_of(self._installation, int(live or generations.FIRST))

    @property
    def _documents(self) -> Database[dict[str, Any]]:
        """The database of the live generation."""
        registry = self._mongo[self._database][generations.REGISTRY].find_one({"_id": generations.REGISTRY_ID}) or {}
        live = int(registry.get(generations.LIVE, generations.FIRST))
        return self._mongo[generations.database_of(self._database, live)]

    def _keys(self, pattern: views.KeyPattern) -> list[bytes]:
        return list(self._redis.scan_iter(pattern.key(_escaped(self._redis_prefix), "*")))

    def _value(self, key: bytes) -> str:
        kind = self._redis.type(key)
        if kind == b"hash":
            return ", ".join(f"{name.decode()} {value.decode()}" for name, value in self._redis.hgetall(key).items())
        members = self._redis.zrange(key, 0, -1) if kind == b"zset" else self._redis.lrange(key, 0, -1)
        return ", ".join(_short(_id_of(member)) for member in members)


_COORDINATOR_NOT_READY: Final = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}


def _committed(consumer: Consumer, topic: str, partitions: int) -> list[TopicPartition] | None:
    """Return a group's offsets, None while the broker's coordinator of groups is not ready."""
    try:
        return consumer.committed([TopicPartition(topic, number) for number in range(partitions)], _KAFKA_SECONDS)
    except KafkaException as error:
        if error.args[0].code() not in _COORDINATOR_NOT_READY:
            raise
        return None


def _document(document: dict[str, Any]) -> str:
    shown = {name: value for name, value in document.items() if value is not None}
    return msgspec.json.encode(shown, enc_hook=int).decode()


def _id_of(member: bytes) -> str:
    """Return the author or cheep of an element of a list or set: an entry, or an id as text."""
    return views.unpack_entry(member)[1] if len(member) == views.ENTRY_BYTES else member.decode()


def _short(value: object) -> str:
    """Return an id by its first characters, and any other text unchanged."""
    text = value.decode() if isinstance(value, bytes) else str(value)
    is_id = len(text) == 36 and text.count("-") == 4  # noqa: PLR2004 - the form of a UUID
    return f"{text[:_SHOWN_ID]}…" if is_id else text


def _escaped(prefix: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in prefix)
