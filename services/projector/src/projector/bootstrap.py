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

from cheeper_contracts.generations import FIRST
from cheeper_contracts.topics import COMMANDS, DEAD_LETTERS, EVENTS, Topic
from projector.acceptance import Acceptance
from projector.consumer import Consumer
from projector.dead_letters import DeadLetters
from projector.health import Health
from projector.limits import Limit
from projector.log import TopicLog, consumer_settings
from projector.log_ends import LogEnds, watch
from projector.metrics import Metrics
from projector.progress import Progress
from projector.settings import Settings
from projector.stores import ParkedMessages, Store
from projector.stores.mongo.parked import MongoParkedMessages
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.accepted import RedisAcceptedCommands
from projector.stores.redis.parked import RedisParkedMessages
from projector.stores.redis.store import RedisSettings, RedisStore
from projector.tasks import FanOutTasks
from projector.topic import TopicWatch

STORES: Final = ("redis", "mongo")
_SECONDS: Final = 5.0


def redis_store(settings: Settings) -> RedisStore:
    """The hot views."""
    return RedisStore(_redis(settings), _redis_settings(settings))


def mongo_store(settings: Settings) -> MongoStore:
    """The documents."""
    return MongoStore(_mongo(settings), settings.mongo_database)


def parked_messages(settings: Settings, name: str) -> ParkedMessages:
    """What the named store has set aside."""
    if name == "redis":
        return RedisParkedMessages(_redis(settings), _redis_settings(settings))
    return MongoParkedMessages(_mongo(settings), settings.mongo_database)


def consumers(  # noqa: PLR0913 - what the command line says
    settings: Settings,
    names: Iterable[str],
    *,
    health: Health,
    stop: Flag,
    limit: int | None,
    with_tasks: bool,
    metrics: Metrics | None = None,
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
        found.append(
            consumer(settings, store, health=health, stop=stop, limit=Limit(limit), tasks=tasks, metrics=metrics)
        )
    return found


def consumer(  # noqa: PLR0913 - what a consumer is made of
    settings: Settings,
    store: Store,
    *,
    health: Health,
    stop: Flag,
    limit: Limit,
    tasks: FanOutTasks | None = None,
    metrics: Metrics | None = None,
    generation: int = FIRST,
) -> Consumer:
    """The consumer of one store, told of in the metrics where there are any."""
    progress = Progress(store.name, generation)
    if metrics is not None:
        metrics.add(progress)
        metrics.watch_waiting(progress, store.waiting, stop)
    return Consumer(
        store=store,
        event_log=_topic_log(settings, EVENTS, store.name),
        dead_letters=DeadLetters(Producer(_broker(settings)), DEAD_LETTERS.named(settings.topic_prefix)),
        health=health,
        stop=stop,
        limit=limit,
        progress=progress,
        tasks=tasks,
    )


def metrics(settings: Settings, stop: Flag) -> Metrics:
    """The metrics of the process, and a look at the log's ends every second until it stops."""
    ends = LogEnds()
    watch(ends, AdminClient(_broker(settings)), EVENTS.named(settings.topic_prefix), stop)
    return Metrics(ends)


def acceptance(settings: Settings, *, health: Health, stop: Flag) -> Acceptance:
    """The consumer of the commands' headers."""
    return Acceptance(
        accepted=RedisAcceptedCommands(_redis(settings), settings.redis_prefix),
        commands=_topic_log(settings, COMMANDS, "commands"),
        health=health,
        stop=stop,
    )


def _topic_log(settings: Settings, topic: Topic, group: str) -> TopicLog:
    name = topic.named(settings.topic_prefix)
    return TopicLog(
        consumer_settings(settings.kafka_bootstrap_servers, f"{settings.topic_prefix}cheeper.projector.{group}"),
        name,
        TopicWatch(AdminClient(_broker(settings)), name),
    )


def _broker(settings: Settings) -> dict[str, str | int | float | bool]:
    return {"bootstrap.servers": settings.kafka_bootstrap_servers, "log_level": 0}


def _redis_settings(settings: Settings) -> RedisSettings:
    return RedisSettings(
        prefix=settings.redis_prefix, inline_max=settings.fanout_inline_max, slice_size=settings.fanout_slice
    )


def _mongo(settings: Settings) -> MongoClient[dict[str, Any]]:
    return MongoClient(
        settings.mongo_url,
        serverSelectionTimeoutMS=2_000,
        connectTimeoutMS=2_000,
        socketTimeoutMS=int(_SECONDS * 1_000),
        appname="projector",
    )


def _redis(settings: Settings) -> Redis:
    """A client. Nothing is connected before it is used; attempts are repeated by our own rules alone."""
    return Redis.from_url(
        settings.redis_url, socket_timeout=_SECONDS, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )
