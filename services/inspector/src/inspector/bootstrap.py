"""The one place where clients are built."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Final

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from litestar import Litestar
from pymongo import MongoClient
from redis import Redis

from cheeper_audit.bootstrap import mongo_client, postgres_connection, redis_client, stores
from cheeper_audit.bootstrap import sources as audit_sources
from cheeper_audit.lag.snapshot import LagSnapshot, take
from cheeper_audit.settings import Settings as AuditSettings
from cheeper_audit.stores import StoreUnavailableError
from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.stores.write_model import WriteModel
from cheeper_runtime.concurrency.limit import ConcurrencyLimit
from cheeper_runtime.concurrency.metrics import LimitsCollector, declare
from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.tokens.bearer import verifier_of
from inspector.authors.state import Comparison
from inspector.http.app import create_app
from inspector.http.operations import create_operations_app
from inspector.operations.generations import read_generations
from inspector.operations.runner import Operations
from inspector.operations.tools import Tools
from inspector.settings import OperationsSettings, Settings
from inspector.sources.comparison import compare_author
from inspector.sources.log import admin_client, read_log
from inspector.sources.mongo import MongoDocuments
from inspector.sources.processes import read_processes
from inspector.sources.redis import RedisKeys
from inspector.sources.topics import KafkaTopics, consumer_settings
from inspector.sources.write_model import PostgresReader, read_worker
from inspector.system.state import Sources, SystemState, system_state
from inspector.trace.evidence import Readers
from inspector.trail.postgres import PostgresTrail

LIMITS: Final = declare("cheeper_inspector")
_SECONDS: Final = 3.0
"""A trace reports that a store is unavailable rather than wait for it."""
_QUEUE_SECONDS: Final = 5.0


@contextmanager
def readers(settings: Settings, redis: Redis, mongo: MongoClient[dict[str, Any]]) -> Iterator[Readers]:
    """Yield the readers of one request. PostgreSQL and Kafka are connected to when they are first read."""
    with ExitStack() as stack:

        def write_model() -> WriteModel:
            return WriteModel(stack.enter_context(postgres_connection(settings.database_url)))

        topics = KafkaTopics(lambda: Consumer(consumer_settings(settings.kafka)), settings.topic_prefix)
        stack.callback(topics.close)
        yield Readers(
            PostgresReader(write_model),
            topics,
            RedisKeys(RedisViews(redis, settings.redis_prefix), settings.redis_prefix),
            MongoDocuments(MongoViews(mongo, settings.mongo_database)),
        )


def compare(settings: Settings, author_id: str) -> Comparison:
    """Return the audit's comparison of an author, or why it cannot be made."""
    try:
        with stores(_of_audit(settings)) as both_sides:
            return compare_author(both_sides, author_id)
    except StoreUnavailableError as error:
        return Comparison(equal=None, reason=str(error))


def system(settings: Settings, admin: AdminClient) -> SystemState:
    """Return the state of the system."""

    def worker() -> dict[int, int]:
        with postgres_connection(settings.database_url) as connection:
            return read_worker(WriteModel(connection), settings.topic_prefix)

    def lag() -> LagSnapshot:
        with audit_sources(_of_audit(settings)) as servers:
            return take(servers)

    return system_state(
        Sources(
            processes=partial(read_processes, settings.processes),
            lag=lag,
            log=partial(read_log, admin, settings.topic_prefix),
            worker=worker,
        )
    )


def _of_audit(settings: Settings) -> AuditSettings:
    return AuditSettings(
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        redis_prefix=settings.redis_prefix,
        mongo_url=settings.mongo_url,
        mongo_database=settings.mongo_database,
    )


@asynccontextmanager
async def http_app(settings: Settings) -> AsyncIterator[Litestar]:
    """Build the application with all its parts."""
    limit = ConcurrencyLimit("traces", at_once=settings.traces, queue_seconds=_QUEUE_SECONDS)
    verifier = await verifier_of(settings.auth, settings.issuers)
    with redis_client(settings.redis_url, _SECONDS) as redis, mongo_client(settings.mongo_url, _SECONDS) as mongo:
        yield create_app(
            partial(readers, settings, redis, mongo),
            partial(compare, settings),
            partial(system, settings, admin_client(settings.kafka)),
            limit,
            verifier=verifier,
            registry=new_registry(LimitsCollector(LIMITS, [limit])),
        )


@asynccontextmanager
async def operations_app(settings: OperationsSettings, environ: Mapping[str, str]) -> AsyncIterator[Litestar]:
    """Build the application of operations, whose tools are given the variables of this process."""
    limit = ConcurrencyLimit("reads", at_once=settings.traces, queue_seconds=_QUEUE_SECONDS)
    verifier = await verifier_of(settings.auth, settings.issuers)
    tools = Tools(environ)
    operations = Operations(PostgresTrail(settings.trail_url), tools)
    with redis_client(settings.redis_url, _SECONDS) as redis, mongo_client(settings.mongo_url, _SECONDS) as mongo:
        try:
            yield create_operations_app(
                operations,
                partial(readers, settings, redis, mongo),
                partial(read_generations, tools),
                limit,
                verifier=verifier,
                registry=new_registry(LimitsCollector(LIMITS, [limit])),
            )
        finally:
            await operations.close()
