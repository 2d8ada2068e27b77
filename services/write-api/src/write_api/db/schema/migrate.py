"""The migrations of the schema, which Alembic runs."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from write_api.db.faults import transient_faults
from write_api.db.schema.revision import newest_revision
from write_api.outbox import partitions

_LOCATION: Final = "write_api:db/schema/migrations"
LOCK: Final = 0x63686565706572  # "cheeper": one migration at a time


async def migrate(engine: AsyncEngine) -> str:
    """Bring the schema to this code's revision, and return that. A concurrent migration waits for the first one.

    Raise UnavailableError if the database is unavailable.
    """
    with transient_faults():
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            await connection.run_sync(_upgrade)
    return newest_revision()


async def make_outbox_partitions(engine: AsyncEngine) -> None:
    """Create the outbox's partitions of this month and the next ones. One whose rows are in the default partition
    already is not needed. Raise UnavailableError as `migrate` does.
    """
    with transient_faults():
        async with engine.begin() as connection:
            await connection.execute(text(partitions.LOCK_TIMEOUT))
            now = (await connection.execute(text(partitions.NOW))).scalar_one()
            for statement in partitions.statements(now):
                with suppress(IntegrityError):
                    async with connection.begin_nested():
                        await connection.execute(text(statement))


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _LOCATION)
    config.set_main_option("path_separator", "os")
    return config
