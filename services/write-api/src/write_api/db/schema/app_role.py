"""The database role of the processes that run commands, with the privileges that these need and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from write_api.db.faults import transient_faults
from write_api.db.schema.migrate import LOCK
from write_api.db.schema.tables import metadata
from write_api.outbox.writer import COLUMNS

ROLE: Final = "cheeper_app"
_WRITTEN: Final = ("dead_letters", *metadata.tables)
_READ: Final = (*_WRITTEN, "outbox", "relay_cursor", "alembic_version")


async def ensure_app_role(engine: AsyncEngine, password_file: Path, role: str = ROLE) -> None:
    """Create the role if it does not exist, and give it the file's password and its privileges on this schema.

    The engine's own role must be a superuser, or have CREATEROLE and own the tables. Raise UnavailableError if the
    database is unavailable.
    """
    password = password_of(password_file)
    with transient_faults():
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            raw = await connection.get_raw_connection()
            verifier = _verifier(raw.driver_connection, password, role)
            for statement in (*_login(role, verifier), *privileges(role)):
                await connection.exec_driver_sql(statement)


def password_of(file: Path) -> str:
    """Return the password in the file, without the line's end. Raise ValueError if there is none."""
    try:
        password = file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        password = ""
    if not password:
        raise ValueError("must be a file with a password that this process can read")
    return password


def privileges(role: str) -> list[str]:
    """Return the statements that give the role what commands need: to change the tables of the write model, and to read
    what their checks read. They add messages to the outbox, do not choose their place in its order, and change none.
    """
    return [
        f"GRANT SELECT ON {', '.join(_READ)} TO {role}",
        f"GRANT INSERT, UPDATE, DELETE ON {', '.join(_WRITTEN)} TO {role}",
        f"GRANT INSERT ({', '.join(COLUMNS)}) ON outbox TO {role}",
    ]


def _login(role: str, verifier: str) -> list[str]:
    create = f"CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL"
    return [
        f"DO $$ BEGIN {create}; END $$",
        f"ALTER ROLE {role} LOGIN PASSWORD '{verifier}'",
    ]


def _verifier(connection: Any, password: str, role: str) -> str:
    """Return what the server keeps instead of the password, which would be in its log if a statement had it."""
    encrypted: bytes = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return encrypted.decode()
