"""The role that makes the schema, the outbox's partitions and the topics, waits for their servers as long as it takes,
and ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import structlog
from confluent_kafka import KafkaException
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from write_api.backoff import Backoff
from write_api.commands.errors import UnavailableError
from write_api.db.engine import create_engine
from write_api.db.faults import transient_faults
from write_api.db.migrate import migrate as migrate_schema
from write_api.kafka import topics
from write_api.outbox import partitions
from write_api.settings import Settings

T = TypeVar("T")

log = structlog.get_logger()


async def migrate(settings: Settings) -> int:
    """Make what is missing. Running it again, or twice at once, changes nothing. The exit code."""
    engine = create_engine(settings.database_url, application_name="write-api-migrate", pool_size=1)
    try:
        revision = await _until_available("postgres", partial(migrate_schema, engine))
        await _until_available("postgres", partial(_make_partitions, engine))
        log.info("schema is up to date", revision=revision)
        await _until_available("kafka", partial(_make_topics, settings))
        log.info("topics are there", prefix=settings.topic_prefix)
    except topics.TopicMismatchError as error:
        log.error("wrong topic", why=str(error))  # noqa: TRY400 - the sentence says all
        return 1
    finally:
        await engine.dispose()
    return 0


async def _make_partitions(engine: AsyncEngine) -> None:
    with transient_faults():
        async with engine.begin() as connection:
            await connection.execute(text(partitions.LOCK_TIMEOUT))
            for statement in partitions.statements(datetime.now(UTC)):
                await connection.execute(text(statement))


async def _make_topics(settings: Settings) -> None:
    admin = topics.admin_client(settings.kafka_bootstrap_servers)
    try:
        await asyncio.to_thread(topics.ensure_topics, admin, settings.topic_prefix)
    except KafkaException as error:
        raise UnavailableError(error.args[0].name()) from error


async def _until_available(what: str, work: Callable[[], Awaitable[T]]) -> T:
    backoff = Backoff()
    while True:
        try:
            return await work()
        except UnavailableError as error:
            log.info("waiting", waiting_for=what, why=str(error))
        await asyncio.sleep(backoff.next())
