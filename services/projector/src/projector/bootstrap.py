"""Puts a process together: the one place where clients, stores and consumers are built."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event as Flag
from typing import Any, Final

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cheeper_contracts.topics import DEAD_LETTERS, EVENTS
from projector.consumer import Consumer
from projector.dead_letters import DeadLetters
from projector.health import Health
from projector.limits import Limit
from projector.log import EventLog, consumer_settings
from projector.settings import Settings
from projector.stores import Store
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.store import RedisSettings, RedisStore
from projector.tasks import FanOutTasks
from projector.topic import TopicWatch

STORES: Final = ("redis", "mongo")
_SECONDS: Final = 5.0


def redis_store(settings: Settings) -> RedisStore:
    """The hot views. Nothing is connected before it is used; attempts are repeated by our own rules alone."""
    client = Redis.from_url(
        settings.redis_url, socket_timeout=_SECONDS, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )
    return RedisStore(
        client,
        RedisSettings(
            prefix=settings.redis_prefix, inline_max=settings.fanout_inline_max, slice_size=settings.fanout_slice
        ),
    )


def mongo_store(settings: Settings) -> MongoStore:
    """The documents."""
    client: MongoClient[dict[str, Any]] = MongoClient(
        settings.mongo_url,
        serverSelectionTimeoutMS=2_000,
        connectTimeoutMS=2_000,
        socketTimeoutMS=int(_SECONDS * 1_000),
        appname="projector",
    )
    return MongoStore(client, settings.mongo_database)


def consumers(  # noqa: PLR0913 - what the command line says
    settings: Settings, names: Iterable[str], *, health: Health, stop: Flag, limit: int | None, with_tasks: bool
) -> list[Consumer]:
    """A consumer for each of the named stores; the Redis one serves fan-out tasks too, if wanted."""
    found: list[Consumer] = []
    for name in names:
        store: Store
        tasks = None
        if name == "redis":
            store = redis = redis_store(settings)
            tasks = FanOutTasks(redis) if with_tasks else None
        else:
            store = mongo_store(settings)
        found.append(consumer(settings, store, health=health, stop=stop, limit=Limit(limit), tasks=tasks))
    return found


def consumer(  # noqa: PLR0913 - what a consumer is made of
    settings: Settings, store: Store, *, health: Health, stop: Flag, limit: Limit, tasks: FanOutTasks | None = None
) -> Consumer:
    """The consumer of one store."""
    servers: dict[str, str | int | float | bool] = {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "log_level": 0,
    }
    topic = EVENTS.named(settings.topic_prefix)
    group = f"{settings.topic_prefix}cheeper.projector.{store.name}"
    return Consumer(
        store=store,
        event_log=EventLog(
            consumer_settings(settings.kafka_bootstrap_servers, group), topic, TopicWatch(AdminClient(servers), topic)
        ),
        dead_letters=DeadLetters(Producer(servers), DEAD_LETTERS.named(settings.topic_prefix)),
        health=health,
        stop=stop,
        limit=limit,
        tasks=tasks,
    )
