"""A store in memory and a mailer that keeps its mails, for tests without a server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Final

import msgspec

from identity.domain.limits import Bucket
from identity.domain.refresh import Session, has_ended
from identity.domain.signing_keys import SigningKey
from identity.domain.store import Account

_CODE: Final = re.compile(r"The code is (\S+)")


class State(msgspec.Struct):
    """All that a store keeps."""

    accounts: dict[str, Account] = {}
    """By their ids."""
    subjects: dict[tuple[str, str], str] = {}
    attempts: dict[bytes, tuple[str, int]] = {}
    codes: dict[bytes, tuple[str, int]] = {}
    sessions: dict[str, Session] = {}
    buckets: dict[bytes, tuple[float, float]] = {}
    keys: dict[str, SigningKey] = {}


class MemoryTransaction:
    """A transaction over a copy of the state."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def account(self, address: str) -> Account | None:
        """Return the account of an address."""
        return next((each for each in self._state.accounts.values() if each.address == address), None)

    async def account_by_id(self, account_id: str) -> Account | None:
        """Return the account with that id."""
        return self._state.accounts.get(account_id)

    async def set_password(self, account_id: str, address: str, password: str) -> str:
        """Set the password, in a new account if there is none."""
        known = await self.account(address) or Account(account_id=account_id, address=address)
        self._state.accounts[known.account_id] = msgspec.structs.replace(known, password=password)
        return known.account_id

    async def set_roles(self, account_id: str, roles: Sequence[str]) -> None:
        """Set the roles."""
        account = await self.account_by_id(account_id)
        if account is not None:
            self._state.accounts[account_id] = msgspec.structs.replace(account, roles=tuple(roles))

    async def add_code(self, digest: bytes, address: str, until: int) -> None:
        """Add a code."""
        self._state.codes[digest] = (address, until)

    async def code_is_valid(self, digest: bytes, address: str, now: int) -> bool:
        """Return True if the code is there and valid."""
        of, until = self._state.codes.get(digest, ("", 0))
        return of == address and now <= until

    async def take_code(self, digest: bytes, address: str, now: int) -> bool:
        """Delete the code and all others of its address, if it is valid."""
        if not await self.code_is_valid(digest, address, now):
            return False
        self._state.codes = {each: code for each, code in self._state.codes.items() if code[0] != address}
        return True

    async def add_attempt(self, digest: bytes, provider: str, until: int) -> None:
        """Add an attempt."""
        self._state.attempts[digest] = (provider, until)

    async def take_attempt(self, digest: bytes, now: int) -> str | None:
        """Delete the attempt. Return its provider if it was there and valid."""
        provider, until = self._state.attempts.pop(digest, (None, now))
        return provider if now <= until else None

    async def account_of_subject(self, issuer: str, subject: str, account_id: str) -> str:
        """Return the id of the subject's account, a new one if there is none."""
        found = self._state.subjects.setdefault((issuer, subject), account_id)
        self._state.accounts.setdefault(found, Account(account_id=found))
        return found

    async def put_session(self, session: Session) -> None:
        """Add or replace the session."""
        self._state.sessions[session.session_id] = session

    async def session(self, session_id: str) -> Session | None:
        """Return the session."""
        return self._state.sessions.get(session_id)

    async def revoke_session(self, session_id: str) -> None:
        """Delete the session."""
        self._state.sessions.pop(session_id, None)

    async def revoke_sessions_of(self, account_id: str) -> None:
        """Delete the sessions of the account."""
        sessions = self._state.sessions
        self._state.sessions = {key: each for key, each in sessions.items() if each.account_id != account_id}

    async def take(self, bucket: Bucket, now: float) -> float:
        """Count an attempt, and return the level before it."""
        stored, at = self._state.buckets.get(bucket.key, (0.0, now))
        level = bucket.level(stored, at, now)
        if not bucket.wait(level):
            self._state.buckets[bucket.key] = (level + 1, now)
        return level

    async def give_back(self, bucket: Bucket, now: float) -> None:
        """Count one attempt less."""
        stored, at = self._state.buckets.get(bucket.key, (0.0, now))
        self._state.buckets[bucket.key] = (max(0.0, bucket.level(stored, at, now) - 1), now)

    async def lock_keys(self) -> Sequence[SigningKey]:
        """Return all signing keys."""
        return list(self._state.keys.values())

    async def add_key(self, key: SigningKey) -> None:
        """Add a signing key."""
        self._state.keys[key.kid] = key

    async def withdraw_key(self, kid: str) -> None:
        """Delete a signing key."""
        self._state.keys.pop(kid, None)

    async def expire(self, now: int) -> None:
        """Delete what is of no use any more."""
        state = self._state
        state.attempts = {each: attempt for each, attempt in state.attempts.items() if attempt[1] >= now}
        state.codes = {each: code for each, code in state.codes.items() if code[1] >= now}
        state.sessions = {each: found for each, found in state.sessions.items() if not has_ended(found, now)}


class MemoryStore:
    """A store whose transactions follow one another, and change nothing if their block raises."""

    def __init__(self) -> None:
        self.state = State()
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryTransaction]:
        """Begin a transaction."""
        async with self._lock:
            state = deepcopy(self.state)
            yield MemoryTransaction(state)
            self.state = state

    async def keys(self) -> Sequence[SigningKey]:
        """Return all signing keys."""
        return list(self.state.keys.values())


class MemoryMailer:
    """A mailer that keeps its mails: their addresses and texts."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def send(self, address: str, subject: str, text: str) -> None:
        """Keep the mail."""
        del subject
        self.mails.append((address, text))

    def code(self) -> str:
        """Return the code in the last mail."""
        found = _CODE.search(self.mails[-1][1])
        if found is None:
            raise LookupError("the last mail has no code")
        return found[1]
