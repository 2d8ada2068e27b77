"""The store in PostgreSQL. Rows that a transaction reads to change them are locked until it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, Select, delete, make_url, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from identity.db.schema.tables import accounts, attempts, buckets, codes, sessions, signing_keys, subjects
from identity.domain.limits import Bucket
from identity.domain.refresh import IDLE_SECONDS, LONGEST_SECONDS, Session
from identity.domain.signing_keys import SigningKey
from identity.domain.store import Account, StoreUnavailableError

_KEYS_LOCK: Final = 0x6B657972696E67  # "keyring": one change of the keys at a time
_BUCKET_SECONDS: Final = 24 * 3600
_TRANSIENT: Final = ("40", "53", "57", "55P03", "25006", "42501", "42P01", "3F000")
"""SQLSTATEs of faults that end by themselves or by an operator: lost races, a full disk, a missing schema."""


def create_engine(database_url: str, *, application_name: str, pool_size: int = 5) -> AsyncEngine:
    """Return a pool that connects when it is first used, and gives up within a few seconds if it cannot."""
    return create_async_engine(
        make_url(database_url).set(drivername="postgresql+psycopg"),
        isolation_level="READ COMMITTED",
        hide_parameters=True,  # an error's text may be logged, addresses and hashes may not
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=3.0,
        pool_pre_ping=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 3,
            "keepalives_idle": 5,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
            "options": "-c statement_timeout=5s -c idle_in_transaction_session_timeout=10s -c jit=off",
        },
    )


class PostgresTransaction:
    """A transaction on a connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def account(self, address: str) -> Account | None:
        """Return the account of an address, locked."""
        return await self._account(select(accounts).where(accounts.c.address == address).with_for_update())

    async def account_by_id(self, account_id: str) -> Account | None:
        """Return the account with that id. It is not locked: a session is locked before its account is read, and a
        change of password locks the account before its sessions.
        """
        return await self._account(select(accounts).where(accounts.c.account_id == account_id))

    async def set_password(self, account_id: str, address: str, password: str) -> str:
        """Set the password, in a new account if there is none."""
        new = insert(accounts).values(account_id=account_id, address=address, password=password)
        changed = new.on_conflict_do_update(index_elements=["address"], set_={"password": new.excluded.password})
        found: str = (await self._connection.execute(changed.returning(accounts.c.account_id))).scalar_one()
        return found

    async def set_roles(self, account_id: str, roles: Sequence[str]) -> None:
        """Set the roles."""
        which = accounts.c.account_id == account_id
        await self._connection.execute(update(accounts).where(which).values(roles=list(roles)))

    async def add_code(self, digest: bytes, address: str, until: int) -> None:
        """Add a code."""
        await self._connection.execute(insert(codes).values(digest=digest, address=address, until=until))

    async def code_is_valid(self, digest: bytes, address: str, now: int) -> bool:
        """Return True if the code is there and valid."""
        found = select(codes.c.digest).where(_valid_code(digest, address, now))
        return (await self._connection.execute(found)).first() is not None

    async def take_code(self, digest: bytes, address: str, now: int) -> bool:
        """Delete the code and all others of its address, if it is valid."""
        # All of the address in one order, so that two uses of two codes do not wait for each other.
        found = select(codes.c.digest).where(codes.c.address == address).order_by(codes.c.digest).with_for_update()
        await self._connection.execute(found)
        if not await self.code_is_valid(digest, address, now):
            return False
        await self._connection.execute(delete(codes).where(codes.c.address == address))
        return True

    async def add_attempt(self, digest: bytes, provider: str, until: int) -> None:
        """Add an attempt."""
        await self._connection.execute(insert(attempts).values(digest=digest, provider=provider, until=until))

    async def take_attempt(self, digest: bytes, now: int) -> str | None:
        """Delete the attempt. Return its provider if it was there and valid."""
        taken = delete(attempts).where(attempts.c.digest == digest).returning(attempts.c.provider, attempts.c.until)
        row = (await self._connection.execute(taken)).first()
        return None if row is None or row.until < now else row.provider

    async def account_of_subject(self, issuer: str, subject: str, account_id: str) -> str:
        """Return the id of the subject's account, a new one if there is none."""
        known = select(subjects.c.account_id).where(subjects.c.issuer == issuer, subjects.c.subject == subject)
        found: str | None = (await self._connection.execute(known)).scalar()
        if found is not None:
            return found
        await self._connection.execute(insert(accounts).values(account_id=account_id))
        new = insert(subjects).values(issuer=issuer, subject=subject, account_id=account_id).on_conflict_do_nothing()
        if (await self._connection.execute(new.returning(subjects.c.account_id))).first() is not None:
            return account_id
        # Another transaction has made it meanwhile, and has been committed: the insertion has waited for it.
        await self._connection.execute(delete(accounts).where(accounts.c.account_id == account_id))
        return str((await self._connection.execute(known)).scalar_one())

    async def put_session(self, session: Session) -> None:
        """Add or replace the session."""
        values = msgspec.structs.asdict(session)
        await self._connection.execute(
            insert(sessions).values(values).on_conflict_do_update(index_elements=["session_id"], set_=values)
        )

    async def session(self, session_id: str) -> Session | None:
        """Return the session, locked."""
        found = select(sessions).where(sessions.c.session_id == session_id).with_for_update()
        row = (await self._connection.execute(found)).first()
        return None if row is None else _session_of(row)

    async def revoke_session(self, session_id: str) -> None:
        """Delete the session."""
        await self._connection.execute(delete(sessions).where(sessions.c.session_id == session_id))

    async def revoke_sessions_of(self, account_id: str) -> None:
        """Delete the sessions of the account."""
        await self._connection.execute(delete(sessions).where(sessions.c.account_id == account_id))

    async def take(self, bucket: Bucket, now: float) -> float:
        """Count an attempt, and return the level before it."""
        level = await self._level(bucket, now)
        if not bucket.wait(level):
            await self._set_level(bucket, level + 1, now)
        return level

    async def give_back(self, bucket: Bucket, now: float) -> None:
        """Count one attempt less."""
        await self._set_level(bucket, max(0.0, await self._level(bucket, now) - 1), now)

    async def lock_keys(self) -> Sequence[SigningKey]:
        """Return all signing keys, locked against every other change of them."""
        await self._connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _KEYS_LOCK})
        return await _keys(self._connection)

    async def read_keys(self) -> Sequence[SigningKey]:
        """Return all signing keys."""
        return await _keys(self._connection)

    async def add_key(self, key: SigningKey) -> None:
        """Add a signing key."""
        await self._connection.execute(insert(signing_keys).values(msgspec.structs.asdict(key)))

    async def withdraw_key(self, kid: str) -> None:
        """Delete a signing key."""
        await self._connection.execute(delete(signing_keys).where(signing_keys.c.kid == kid))

    async def expire(self, now: int) -> None:
        """Delete what is of no use any more."""
        idle = sessions.c.rotated_at < now - IDLE_SECONDS
        await self._connection.execute(delete(codes).where(codes.c.until < now))
        await self._connection.execute(delete(attempts).where(attempts.c.until < now))
        await self._connection.execute(delete(sessions).where(idle | (sessions.c.began_at < now - LONGEST_SECONDS)))
        await self._connection.execute(delete(buckets).where(buckets.c.at < now - _BUCKET_SECONDS))

    async def _account(self, query: Select[Any]) -> Account | None:
        row = (await self._connection.execute(query)).first()
        return None if row is None else _account_of(row)

    async def _level(self, bucket: Bucket, now: float) -> float:
        new = insert(buckets).values(key=bucket.key, level=0.0, at=now).on_conflict_do_nothing()
        await self._connection.execute(new)
        found = select(buckets.c.level, buckets.c.at).where(buckets.c.key == bucket.key).with_for_update()
        level, at = (await self._connection.execute(found)).one()
        return bucket.level(level, at, now)

    async def _set_level(self, bucket: Bucket, level: float, now: float) -> None:
        await self._connection.execute(update(buckets).where(buckets.c.key == bucket.key).values(level=level, at=now))


class PostgresStore:
    """The store over a pool."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresTransaction]:
        """Begin a transaction. Raise StoreUnavailableError if the database is unavailable."""
        try:
            async with self._engine.begin() as connection:
                yield PostgresTransaction(connection)
        except (DBAPIError, PoolTimeoutError) as error:
            if _is_transient(error):
                raise StoreUnavailableError(f"Postgres: {type(getattr(error, 'orig', error)).__name__}") from error
            raise

    async def keys(self) -> Sequence[SigningKey]:
        """Return all signing keys. Raise StoreUnavailableError."""
        async with self.begin() as transaction:
            return await transaction.read_keys()


def _valid_code(digest: bytes, address: str, now: int) -> ColumnElement[bool]:
    return (codes.c.digest == digest) & (codes.c.address == address) & (codes.c.until >= now)


def _account_of(row: Row[Any]) -> Account:
    return Account(account_id=row.account_id, address=row.address, password=row.password, roles=tuple(row.roles))


def _session_of(row: Row[Any]) -> Session:
    return Session(
        session_id=row.session_id,
        account_id=row.account_id,
        began_at=row.began_at,
        rotated_at=row.rotated_at,
        current=row.current,
        previous=row.previous,
        salt=row.salt,
    )


async def _keys(connection: AsyncConnection) -> list[SigningKey]:
    rows = (await connection.execute(select(signing_keys))).all()
    return [SigningKey(kid=row.kid, private=row.private, signs_from=row.signs_from) for row in rows]


def _is_transient(error: DBAPIError | PoolTimeoutError) -> bool:
    if isinstance(error, PoolTimeoutError | OperationalError | InterfaceError):
        return True
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or state.startswith(_TRANSIENT)
