"""The store as the use cases need it: transactions over accounts, codes, sessions, buckets and signing keys."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from identity.domain.limits import Bucket
from identity.domain.refresh import Session
from identity.domain.signing_keys import SigningKey


class StoreUnavailableError(Exception):
    """The store is unavailable for a while. Nothing of the transaction happened, or its outcome is unknown."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account. Its id is the author id that it may sign up. `address` is in the form without case. An account of an
    external provider has neither address nor password.
    """

    account_id: str
    address: str | None = None
    password: str | None = None
    roles: tuple[str, ...] = ()


class Transaction(Protocol):
    """A transaction. All of it happens or nothing, when its block ends."""

    async def account(self, address: str) -> Account | None:
        """Return the account of an address, and let no other transaction change it until this one ends."""

    async def account_by_id(self, account_id: str) -> Account | None:
        """Return the account with that id."""

    async def set_password(self, account_id: str, address: str, password: str) -> str:
        """Set the hash of the address's password, in a new account of that id if it has none. Return its id."""

    async def set_roles(self, account_id: str, roles: Sequence[str]) -> None:
        """Set the roles of an account."""

    async def add_code(self, digest: bytes, address: str, until: int) -> None:
        """Add the hash of a code that was sent to the address, valid until a time in seconds since 1970."""

    async def code_is_valid(self, digest: bytes, address: str, now: int) -> bool:
        """Return True if the code is there and valid."""

    async def take_code(self, digest: bytes, address: str, now: int) -> bool:
        """Delete the code, and all others of its address. Return True if it was there and valid."""

    async def add_attempt(self, digest: bytes, provider: str, until: int) -> None:
        """Add the digest of an attempt to sign in by a provider, valid until a time in seconds since 1970."""

    async def take_attempt(self, digest: bytes, now: int) -> str | None:
        """Delete the attempt. Return the name of its provider, or None if it is not there, or not valid any more."""

    async def account_of_subject(self, issuer: str, subject: str, account_id: str) -> str:
        """Return the id of the account of a provider's subject, which is a new one of that id if there is none."""

    async def put_session(self, session: Session) -> None:
        """Add the session or replace it."""

    async def session(self, session_id: str) -> Session | None:
        """Return the session, and let no other transaction have it until this one ends."""

    async def revoke_session(self, session_id: str) -> None:
        """Delete the session, so that none of its tokens is of any use."""

    async def revoke_sessions_of(self, account_id: str) -> None:
        """Delete all sessions of the account."""

    async def take(self, bucket: Bucket, now: float) -> float:
        """Count an attempt if it fits, and return the level before it. No other transaction counts in between."""

    async def give_back(self, bucket: Bucket, now: float) -> None:
        """Count one attempt less."""

    async def lock_keys(self) -> Sequence[SigningKey]:
        """Return all signing keys, and let no other transaction change them until this one ends."""

    async def add_key(self, key: SigningKey) -> None:
        """Add a signing key."""

    async def withdraw_key(self, kid: str) -> None:
        """Delete a signing key."""

    async def expire(self, now: int) -> None:
        """Delete codes, attempts, sessions and buckets that are of no use any more."""


class Store(Protocol):
    """A store with transactions."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction, which is committed at the end of the block unless that raises."""

    async def keys(self) -> Sequence[SigningKey]:
        """Return all signing keys."""
