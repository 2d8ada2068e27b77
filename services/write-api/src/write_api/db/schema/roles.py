"""The roles of the database, and the rights of each: one table for the processes, and the owner beside them.

Whoever runs `migrate` may be a superuser. Otherwise `ensure_owner`, which a superuser runs, makes a role that owns
everything and cannot log in, and the one as which `migrate` logs in and acts for the owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cheeper_runtime.servers.files import password_of
from write_api.db.faults import transient_faults
from write_api.db.schema.migrate import LOCK
from write_api.db.schema.tables import metadata
from write_api.outbox.writer import COLUMNS

OWNER: Final = "cheeper_owner"
MIGRATE: Final = "cheeper_migrate"
SCHEMAS: Final = ("public", "identity", "operations")
"""The schemas of this database. The owner has them; identity and operations give their own roles what these need."""
_WRITTEN: Final = ("dead_letters", *metadata.tables)
_READ: Final = (*_WRITTEN, "outbox", "relay_cursor", "alembic_version")


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """The rights of a role: tables by the privileges on them, the functions that it may call, and whether it sees since
    when the transactions of others are open.
    """

    tables: Mapping[str, tuple[str, ...]]
    functions: tuple[str, ...] = ()
    sees_activity: bool = False


RIGHTS: Final[Mapping[str, Rights]] = {
    # Commands change the tables of the write model, and read what their checks read. They add messages to the outbox,
    # do not choose their place in its order, and change none.
    "app": Rights(
        tables={"SELECT": _READ, "INSERT, UPDATE, DELETE": _WRITTEN, f"INSERT ({', '.join(COLUMNS)})": ("outbox",)}
    ),
    # The relay reads the outbox and no other content. Only the functions change the outbox itself.
    "relay": Rights(
        tables={
            "SELECT": ("outbox", "relay_cursor", "relay_partitions", "seen_days"),
            "INSERT, UPDATE": ("relay_cursor", "relay_partitions"),
            "INSERT": ("seen_days",),
        },
        functions=("make_outbox_partition", "drop_outbox_partition", "raise_outbox_epoch"),
        sees_activity=True,
    ),
    "audit": Rights(tables={"SELECT": (*_READ, "relay_partitions")}, sees_activity=True),
}
"""By role. `user_of` has the names that they log in with."""


def user_of(role: str) -> str:
    """Return the name with which the processes of the role log in."""
    return f"cheeper_{role}"


USERS: Final = (*map(user_of, RIGHTS), user_of("identity"), user_of("operations"))
"""The users that `migrate`, `identity migrate` and `inspector migrate` make."""


async def ensure_role(engine: AsyncEngine, password_file: Path, user: str, rights: Rights) -> None:
    """Create the user if it does not exist, and give it the file's password and exactly these rights.

    The engine's own role must be a superuser, or own the tables and have CREATEROLE and the user's ADMIN option. Raise
    UnavailableError if the database is unavailable.
    """
    password = password_of(password_file)
    with transient_faults():
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            verifier = await _verifier(connection, password, user)
            for statement in (*_login(user, verifier), _revoke_all(user), *_grants(user, rights)):
                await connection.exec_driver_sql(statement)


async def ensure_owner(
    engine: AsyncEngine, password_file: Path, owner: str = OWNER, migrate: str = MIGRATE, users: tuple[str, ...] = ()
) -> None:
    """Make the owner, which cannot log in, and the user of `migrate`, with the file's password, who acts as the owner.

    The database's tables and functions become the owner's, and so does the right to give `users` that exist another
    password. The engine's own role must be a superuser. Raise UnavailableError if the database is unavailable.
    """
    password = password_of(password_file)
    with transient_faults():
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            database = (await connection.exec_driver_sql("SELECT quote_ident(current_database())")).scalar_one()
            verifier = await _verifier(connection, password, migrate)
            for statement in (
                _create(owner),
                f"ALTER ROLE {owner} NOLOGIN CREATEROLE",
                f"GRANT CREATE ON DATABASE {database} TO {owner}",
                f"GRANT USAGE, CREATE ON SCHEMA public TO {owner}",
                f"GRANT pg_read_all_stats TO {owner} WITH ADMIN OPTION",
                *_login(migrate, verifier),
                f"GRANT {owner} TO {migrate}",
                f"ALTER ROLE {migrate} IN DATABASE {database} SET role = {owner}",
                *(_hand_over_user(user, owner) for user in users),
                *(_hand_over(schema, owner) for schema in SCHEMAS),
            ):
                await connection.exec_driver_sql(statement)


def _grants(user: str, rights: Rights) -> list[str]:
    activity = f"GRANT pg_read_all_stats TO {user}; EXCEPTION WHEN insufficient_privilege THEN NULL"
    return [
        *(f"GRANT {privileges} ON {', '.join(tables)} TO {user}" for privileges, tables in rights.tables.items()),
        *(f"GRANT EXECUTE ON FUNCTION {function} TO {user}" for function in rights.functions),
        *([f"DO $$ BEGIN {activity}; END $$"] if rights.sees_activity else []),
    ]


def _revoke_all(user: str) -> str:
    """Return what takes from the user the rights on tables that an older release gave it."""
    tables = "SELECT DISTINCT c.oid::regclass FROM pg_class AS c, aclexplode(c.relacl) AS a"
    return f"""DO $$ DECLARE each regclass; BEGIN
        FOR each IN {tables} WHERE a.grantee = '{user}'::regrole LOOP
            EXECUTE 'REVOKE ALL ON ' || each || ' FROM {user}';
        END LOOP;
    END $$"""


def _hand_over_user(user: str, owner: str) -> str:
    return f"""DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{user}') THEN
            GRANT {user} TO {owner} WITH ADMIN OPTION;
        END IF;
    END $$"""


def _hand_over(schema: str, owner: str) -> str:
    """Return what makes the owner the owner of the schema's tables and functions, which may be of a superuser's making.

    The schema itself follows, unless it is the one that each database has.
    """
    others = f"<> '{owner}'::regrole"
    found = f"""
        SELECT 'SCHEMA ' || quote_ident(nspname) FROM pg_namespace
        WHERE nspname = '{schema}' AND nspname <> 'public' AND nspowner {others}
        UNION ALL SELECT 'TABLE ' || c.oid::regclass FROM pg_class AS c
        WHERE c.relnamespace = to_regnamespace('{schema}') AND c.relkind IN ('r', 'p') AND c.relowner {others}
        UNION ALL SELECT 'FUNCTION ' || p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = to_regnamespace('{schema}') AND p.proowner {others}
    """  # noqa: S608 - our own constants
    return f"""DO $$ DECLARE each text; BEGIN
        FOR each IN {found} LOOP
            EXECUTE 'ALTER ' || each || ' OWNER TO {owner}';
        END LOOP;
    END $$"""


def _login(user: str, verifier: str) -> list[str]:
    return [_create(user), f"ALTER ROLE {user} LOGIN PASSWORD '{verifier}'"]


def _create(role: str) -> str:
    create = f"CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL"
    return f"DO $$ BEGIN {create}; END $$"


async def _verifier(connection: AsyncConnection, password: str, user: str) -> str:
    """Return what the server keeps instead of the password, which would be in its log if a statement had it."""
    raw: Any = (await connection.get_raw_connection()).driver_connection
    encrypted: bytes = raw.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256")
    return encrypted.decode()
