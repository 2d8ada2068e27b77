"""The roles that prepare the servers and end: `migrate` and `raise-epoch`."""

from __future__ import annotations

import asyncio
from functools import partial

import psycopg
import structlog
from confluent_kafka import KafkaException

from write_api.bus.errors import UnavailableError
from write_api.db.engine import create_engine
from write_api.db.schema import migrate as schema
from write_api.db.schema.app_role import ensure_app_role
from write_api.kafka import topics
from write_api.ops.setup_steps import SetupStep, run_setup
from write_api.relay.cursor import LockLostError, RelayRefusedError, connect
from write_api.relay.epoch import raise_epoch
from write_api.relay.event_log import EventLog
from write_api.relay.numbering import LogWipedError
from write_api.relay.publisher import DeliveryError, Publisher, gapless_producer
from write_api.settings import Settings

log = structlog.get_logger()


async def run_migrate(settings: Settings) -> int:
    """Set up schema, outbox partitions, the role of commands if it has a password, and topics.

    Return the exit code, 1 if a topic has the wrong settings.
    """
    engine = create_engine(settings.database_url, application_name="write-api-migrate", pool_size=1)
    steps = [
        SetupStep(server="postgres", done="schema up to date", run=partial(schema.migrate, engine)),
        SetupStep(
            server="postgres",
            done="outbox partitions up to date",
            run=partial(schema.make_outbox_partitions, engine),
        ),
        SetupStep(server="kafka", done="topics up to date", run=partial(_create_topics, settings)),
    ]
    if settings.app_password_file is not None:
        ensure = partial(ensure_app_role, engine, settings.app_password_file)
        steps.insert(2, SetupStep(server="postgres", done="app role up to date", run=ensure))
    try:
        await run_setup(steps)
    except topics.TopicMismatchError as error:
        log.error("wrong topic", reason=str(error))  # noqa: TRY400 - the sentence says all
        return 1
    finally:
        await engine.dispose()
    return 0


async def run_raise_epoch(settings: Settings) -> int:
    """Accept a restored database. Return the exit code."""
    event_log = EventLog(settings.kafka_bootstrap_servers, settings.topic_prefix)
    try:
        await raise_epoch(
            partial(connect, settings.database_url),
            event_log,
            lambda: Publisher(gapless_producer(settings.kafka_bootstrap_servers), event_log.name),
        )
    except (
        *(RelayRefusedError, LockLostError, LogWipedError, DeliveryError, topics.TopicMismatchError),
        *(KafkaException, psycopg.Error, OSError),
    ) as error:
        log.error("epoch not raised", reason=f"{type(error).__name__}: {error}")  # noqa: TRY400 - it says all
        return 1
    return 0


async def _create_topics(settings: Settings) -> None:
    admin = topics.admin_client(settings.kafka_bootstrap_servers)
    try:
        await asyncio.to_thread(topics.ensure_topics, admin, settings.topic_prefix)
    except KafkaException as error:
        raise UnavailableError(error.args[0].name()) from error
