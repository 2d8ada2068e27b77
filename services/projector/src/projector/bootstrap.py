"""Puts a process together: the one place where clients, stores and consumers are built."""

from __future__ import annotations

from contextlib import closing
from threading import Event as Flag
from typing import Any, Final

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cheeper_contracts.generations import FIRST, database_of, prefix_of
from cheeper_contracts.topics import COMMANDS, DEAD_LETTERS, EVENTS, Topic
from projector.consumer.loop import Consumer
from projector.consumer.progress import Progress
from projector.consumer.rate import Rate
from projector.consumer.step_limit import Limit
from projector.fan_out.tasks import FanOutTasks
from projector.generations.diff import Sides
from projector.generations.registry import GenerationError, Generations
from projector.kafka import groups
from projector.kafka.accepted_commands import AcceptedCommandsConsumer
from projector.kafka.assignment import Assignment, consumer_settings
from projector.kafka.dead_letter_topic import DeadLetters
from projector.kafka.log_end import EventLogEnds, watch
from projector.kafka.topic import TopicWatch
from projector.ops.health import Health
from projector.ops.lag_reports import LagReports, report
from projector.ops.log_end_history import LogEndHistory
from projector.ops.metrics import Metrics
from projector.projections import projection_of
from projector.settings import Settings
from projector.stores.base import ParkedMessages, Store
from projector.stores.mongo.generations import MongoGenerations
from projector.stores.mongo.lag import MongoLagReports
from projector.stores.mongo.parked import MongoParkedMessages
from projector.stores.mongo.sides import MongoSides
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.accepted import RedisAcceptedCommands
from projector.stores.redis.generations import RedisGenerations
from projector.stores.redis.lag import RedisLagReports
from projector.stores.redis.parked import RedisParkedMessages
from projector.stores.redis.sides import RedisSides
from projector.stores.redis.store import RedisSettings, RedisStore

STORES: Final = ("redis", "mongo")
_SECONDS: Final = 5.0
_LEAVING_SECONDS: Final = 15.0


def redis_store(settings: Settings, number: int = FIRST) -> RedisStore:
    """The hot views of a generation."""
    return RedisStore(_redis(settings), _redis_settings(settings, number))


def mongo_store(settings: Settings, number: int = FIRST) -> MongoStore:
    """The documents of a generation."""
    return MongoStore(_mongo(settings), settings.mongo_database, number)


def store_of(settings: Settings, name: str, number: int) -> Store:
    """A generation of the named store."""
    return redis_store(settings, number) if name == "redis" else mongo_store(settings, number)


def generations(settings: Settings, name: str) -> Generations:
    """Which generations the named store has."""
    if name == "redis":
        return RedisGenerations(_redis(settings), settings.redis_prefix)
    return MongoGenerations(_mongo(settings), settings.mongo_database)


def generation_or_live(settings: Settings, name: str, number: int | None) -> int:
    """Return that generation's number, by default the live one's. Raise GenerationError and StoreUnavailableError."""
    with closing(generations(settings, name)) as found:
        registry = found.registry()
    wanted = registry.live if number is None else number
    if not registry.has(wanted):
        raise GenerationError(f"{name} has no generation {wanted}")
    return wanted


def comparison(settings: Settings, name: str, live: int, other: int) -> Sides:
    """Two generations of the named store beside each other."""
    if name == "redis":
        return RedisSides(_redis(settings), settings.redis_prefix, live, other)
    return MongoSides(_mongo(settings), settings.mongo_database, live, other)


def parked_messages(settings: Settings, name: str, number: int = FIRST) -> ParkedMessages:
    """What a generation of the named store has set aside."""
    if name == "redis":
        return RedisParkedMessages(_redis(settings), _redis_settings(settings, number))
    return MongoParkedMessages(_mongo(settings), database_of(settings.mongo_database, number))


def consumer_of(  # noqa: PLR0913 - what the command line says
    settings: Settings,
    name: str,
    number: int,
    *,
    health: Health,
    stop: Flag,
    limit: int | None = None,
    with_tasks: bool = True,
    metrics: Metrics | None = None,
    rate: Rate | None = None,
) -> Consumer:
    """The consumer of a generation of the named store; that of Redis serves fan-out tasks too, if wanted."""
    store: Store
    tasks = None
    if name == "redis":
        store = redis = redis_store(settings, number)
        tasks = FanOutTasks(redis) if with_tasks else None
    else:
        store = mongo_store(settings, number)
    return consumer(
        settings,
        store,
        health=health,
        stop=stop,
        limit=Limit(limit),
        tasks=tasks,
        metrics=metrics,
        number=number,
        rate=rate,
    )


def consumer(  # noqa: PLR0913 - what a consumer is made of
    settings: Settings,
    store: Store,
    *,
    health: Health,
    stop: Flag,
    limit: Limit,
    tasks: FanOutTasks | None = None,
    metrics: Metrics | None = None,
    number: int = FIRST,
    rate: Rate | None = None,
) -> Consumer:
    """The consumer of one generation of a store, told of in its store and the metrics where there are any."""
    progress = Progress(store.name, number)
    made = Consumer(
        store=store,
        project=projection_of(store.name),
        assignment=_assignment(settings, EVENTS, group_of(store.name, number)),
        rate=rate,
        dead_letters=DeadLetters(Producer(_broker(settings)), DEAD_LETTERS.named(settings.topic_prefix)),
        health=health,
        stop=stop,
        limit=limit,
        progress=progress,
        tasks=tasks,
    )
    if metrics is not None:
        metrics.add(progress)
        metrics.watch_waiting(progress, store.backlog, stop)
        report(progress, metrics.ends, _lag_reports(settings, store.name), lambda: metrics.tells_of(progress), stop)
    return made


def metrics(settings: Settings, stop: Flag) -> Metrics:
    """The metrics of the process, and a look at the log's ends every second until it stops."""
    seen = LogEndHistory()
    watch(seen, event_log_ends(settings), stop)
    return Metrics(seen)


def acceptance(settings: Settings, *, health: Health, stop: Flag) -> AcceptedCommandsConsumer:
    """The consumer of the commands' headers."""
    return AcceptedCommandsConsumer(
        accepted=RedisAcceptedCommands(_redis(settings), settings.redis_prefix),
        commands=_assignment(settings, COMMANDS, "commands"),
        health=health,
        stop=stop,
    )


def event_log_ends(settings: Settings) -> EventLogEnds:
    """How far the log reaches."""
    return EventLogEnds(AdminClient(_broker(settings)), EVENTS.named(settings.topic_prefix))


def delete_group(settings: Settings, name: str, number: int) -> str | None:
    """Deletes the group by which a generation was read; why it is still there, if so."""
    return groups.delete(AdminClient(_broker(settings)), _group(settings, group_of(name, number)), _LEAVING_SECONDS)


def group_of(name: str, number: int) -> str:
    """The group by which a generation of a store reads, behind what all of the projector's begin with."""
    return name if number == FIRST else f"{name}.g{number}"


def _lag_reports(settings: Settings, name: str) -> LagReports:
    if name == "redis":
        return RedisLagReports(_redis(settings), settings.redis_prefix)
    return MongoLagReports(_mongo(settings), settings.mongo_database)


def _group(settings: Settings, group: str) -> str:
    return f"{settings.topic_prefix}cheeper.projector.{group}"


def _assignment(settings: Settings, topic: Topic, group: str) -> Assignment:
    name = topic.named(settings.topic_prefix)
    return Assignment(
        consumer_settings(settings.kafka_bootstrap_servers, _group(settings, group)),
        name,
        TopicWatch(AdminClient(_broker(settings)), name),
    )


def _broker(settings: Settings) -> dict[str, str | int | float | bool]:
    return {"bootstrap.servers": settings.kafka_bootstrap_servers, "log_level": 0}


def _redis_settings(settings: Settings, number: int) -> RedisSettings:
    return RedisSettings(
        prefix=prefix_of(settings.redis_prefix, number),
        inline_max=settings.fanout_inline_max,
        slice_size=settings.fanout_slice,
        generation=number,
        installation=settings.redis_prefix,
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
