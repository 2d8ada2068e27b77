"""The schema of the trail, and the role that may add to it and read it, but never change it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, LiteralString

from psycopg import AsyncConnection, sql

from cheeper_runtime.servers.files import password_of

ROLE: Final = "cheeper_operations"
_LOCK: Final = 0x6F7065726174696F  # "operatio": one migration at a time

# The times are the server's own: the role may not give them.
_SCHEMA: Final[tuple[LiteralString, ...]] = (
    "CREATE SCHEMA IF NOT EXISTS operations",
    """
    CREATE TABLE IF NOT EXISTS operations.actions (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        action_id uuid NOT NULL UNIQUE,
        caller text,
        action text NOT NULL,
        parameters jsonb NOT NULL,
        reason text NOT NULL CHECK (reason <> ''),
        began_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS operations.outcomes (
        action_id uuid PRIMARY KEY REFERENCES operations.actions (action_id),
        outcome text NOT NULL,
        lines text[] NOT NULL,
        ended_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
)
_PRIVILEGES: Final[tuple[LiteralString, ...]] = (
    "GRANT USAGE ON SCHEMA operations TO {role}",
    "REVOKE ALL ON operations.actions, operations.outcomes FROM {role}",
    "GRANT SELECT ON operations.actions, operations.outcomes TO {role}",
    "GRANT INSERT (action_id, caller, action, parameters, reason) ON operations.actions TO {role}",
    "GRANT INSERT (action_id, outcome, lines) ON operations.outcomes TO {role}",
)


async def migrate(database_url: str, password_file: Path | None = None, name: str = ROLE) -> None:
    """Make the schema if it does not exist, and the role of that name with the file's password if there is one.

    The URL's role must be a superuser, or have CREATEROLE and may create schemas. Raise psycopg's errors.
    """
    async with await AsyncConnection.connect(database_url) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        for statement in _SCHEMA:
            await connection.execute(statement)
        if password_file is not None:
            await _ensure_role(connection, password_of(password_file), name)


async def _ensure_role(connection: AsyncConnection, password: str, name: str) -> None:
    role = sql.Identifier(name)
    # The server keeps this instead of the password, which would be in its log if a statement had it.
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    exists = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,))
    if await exists.fetchone() is None:
        await connection.execute(sql.SQL("CREATE ROLE {role}").format(role=role))
    login = sql.SQL("ALTER ROLE {role} LOGIN PASSWORD {verifier}")
    await connection.execute(login.format(role=role, verifier=sql.Literal(verifier)))
    for privilege in _PRIVILEGES:
        await connection.execute(sql.SQL(privilege).format(role=role))
