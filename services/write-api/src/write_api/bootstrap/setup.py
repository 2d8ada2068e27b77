"""The roles that prepare the servers and end: `access`, `migrate` and `raise-epoch`."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import psycopg
import structlog
from confluent_kafka import KafkaException

from write_api.db.engine import create_engine
from write_api.db.schema import migrate as schema
from write_api.db.schema import roles
from write_api.kafka import topics
from write_api.kafka.access import AccessError, ensure_access
from write_api.kafka.errors import transient_faults
from write_api.ops.setup_steps import SetupStep, run_setup
from write_api.relay.epoch import raise_epoch
from write_api.relay.kafka.event_log import EventLog
from write_api.relay.kafka.publisher import DeliveryError, Publisher, gapless_producer
from write_api.relay.numbering import LogWipedError
from write_api.relay.postgres.cursor import LockLostError, RelayRefusedError, connect
from write_api.settings import Settings

log = structlog.get_logger()


async def run_access(settings: Settings, password_file: Path) -> int:
    """Make the owner of the database, and the role that `migrate` logs in with. Return the exit code."""
    engine = create_engine(settings.database_url, application_name="write-api-access", pool_size=1)
    ensure = partial(roles.ensure_owner, engine, password_file, users=roles.USERS)
    try:
        await run_setup([SetupStep(server="postgres", done="owner and role of migrate up to date", run=ensure)])
    finally:
        await engine.dispose()
    return 0


async def run_migrate(settings: Settings) -> int:
    """Set up schema, outbox partitions, topics, and the roles' users of PostgreSQL and Kafka that have a password.

    Return the exit code, 1 if a topic has the wrong settings or Kafka refuses users.
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
    for role, file in settings.password_files.items():
        ensure = partial(roles.ensure_role, engine, file, roles.user_of(role), roles.RIGHTS[role])
        steps.insert(2, SetupStep(server="postgres", done=f"{role} role up to date", run=ensure))
    if settings.kafka_passwords_folder is not None:
        access = partial(_ensure_access, settings, settings.kafka_passwords_folder)
        steps.append(SetupStep(server="kafka", done="users of kafka up to date", run=access))
    try:
        await run_setup(steps)
    except (topics.TopicMismatchError, AccessError) as error:
        log.error("not set up", reason=str(error))  # noqa: TRY400 - the sentence says all
        return 1
    finally:
        await engine.dispose()
    return 0


async def run_raise_epoch(settings: Settings) -> int:
    """Accept a restored database. Return the exit code."""
    event_log = EventLog(settings.kafka, settings.topic_prefix)
    try:
        await raise_epoch(
            partial(connect, settings.database_url),
            event_log,
            lambda: Publisher(gapless_producer(settings.kafka), event_log.name),
        )
    except (
        *(RelayRefusedError, LockLostError, LogWipedError, DeliveryError, topics.TopicMismatchError),
        *(KafkaException, psycopg.Error, OSError),
    ) as error:
        log.error("epoch not raised", reason=f"{type(error).__name__}: {error}")  # noqa: TRY400 - it says all
        return 1
    return 0


async def _create_topics(settings: Settings) -> None:
    admin = topics.admin_client(settings.kafka)
    with transient_faults():
        await asyncio.to_thread(topics.ensure_topics, admin, settings.topic_prefix)


async def _ensure_access(settings: Settings, folder: Path) -> None:
    admin = topics.admin_client(settings.kafka)
    with transient_faults():
        await asyncio.to_thread(ensure_access, admin, folder, settings.kafka.sasl_mechanism, settings.topic_prefix)
