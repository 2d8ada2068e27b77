"""The migrations of the schema, and the database role of the processes that serve."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from cheeper_runtime.readiness.checks import Check
from cheeper_runtime.servers.files import password_of
from identity.db.schema.tables import SCHEMA, metadata

ROLE: Final = "cheeper_identity"
_LOCATION: Final = "identity:db/schema/migrations"
_LOCK: Final = 0x6964656E74697479  # "identity": one migration at a time


async def migrate(engine: AsyncEngine, password_file: Path | None = None) -> str:
    """Bring the schema to this code's revision, and return that. Make the role that serves if its password is given.

    The engine's own role must be a superuser, or have CREATEROLE and may create schemas.
    """
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        await connection.run_sync(_upgrade)
        if password_file is not None:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            password = password_of(password_file).encode()
            verifier = raw.pgconn.encrypt_password(password, ROLE.encode(), b"scram-sha-256").decode()
            for statement in role_statements(ROLE, verifier):
                await connection.exec_driver_sql(statement)
    return newest_revision()


def role_statements(role: str, verifier: str) -> list[str]:
    """Return the statements that make the role and give it this schema's rows, and nothing else of the database.

    `verifier` is what the server keeps instead of the password, which would be in its log if a statement had it.
    """
    create = f"CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL"
    tables = ", ".join(metadata.tables)
    return [
        f"DO $$ BEGIN {create}; END $$",
        f"ALTER ROLE {role} LOGIN PASSWORD '{verifier}'",
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role}",
        f"GRANT SELECT ON {SCHEMA}.alembic_version TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role}",
    ]


@cache
def newest_revision() -> str:
    """Return the revision that this code is written for; revisions are numbers of four digits."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise LookupError("this package holds no migrations")
    return head


def check_of_database(engine: AsyncEngine) -> Check:
    """Return a check that fails if PostgreSQL does not answer or lacks this code's schema."""

    async def check() -> str | None:
        async with engine.connect() as connection:
            current = await connection.run_sync(_revision)
        return None if current is not None and current >= newest_revision() else "waiting for identity migrate"

    return check


def _revision(connection: Connection) -> str | None:
    options = {"version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _LOCATION)
    config.set_main_option("path_separator", "os")
    return config
