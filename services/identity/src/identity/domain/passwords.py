"""Passwords: which ones are accepted, and their hashes.

NIST SP 800-63B asks for a length and a list of common passwords, and for no rules of composition.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from cheeper_contracts.text import normalized
from cheeper_runtime.concurrency.limit import ConcurrencyLimit
from identity.domain.errors import InvalidError

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 128
MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
"""Argon2id with 19 MiB, 2 passes and 1 lane: the first choice of OWASP's cheat sheet on the storage of passwords."""
_COMMON: Final = frozenset(FREQUENCY_LISTS["passwords"])


def acceptable(password: str, address: str = "") -> str:
    """Return a new password in the form in which it is hashed. Raise InvalidError, whose text does not repeat it."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise InvalidError("new_password", f"must have from {MIN_LENGTH} to {MAX_LENGTH} characters")
    lowered = password.lower()
    if lowered in _COMMON or len(set(password)) == 1:
        raise InvalidError("new_password", "is one of the most common passwords")
    if address and lowered in {address.lower(), address.lower().partition("@")[0]}:
        raise InvalidError("new_password", "must not be the e-mail address")
    return comparable(password)


def comparable(password: str) -> str:
    """Return the form in which keyboards of all systems agree, NFC; a longer text than any password is cut."""
    cut = password[: MAX_LENGTH + 1]
    return normalized("NFC", cut, len(cut))


class Passwords:
    """Hashes and verifies passwords in threads, at most `at_once` at a time: each needs 19 MiB and some 20 ms of a CPU.

    What would wait for longer than `queue_seconds` is refused with OverloadedError before it begins.
    """

    def __init__(
        self, *, at_once: int, queue_seconds: float = 2.0, memory_kib: int = MEMORY_KIB, passes: int = PASSES
    ) -> None:
        self.limit = ConcurrencyLimit("passwords", at_once=at_once, queue_seconds=queue_seconds)
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """Return the hash of a password that `acceptable` returned. Raise OverloadedError."""
        return await self.limit.run(asyncio.to_thread, self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return True if this is the password of the stored hash. None, for an unknown account, costs the same work.
        Raise OverloadedError.
        """
        matches = await self.limit.run(asyncio.to_thread, self._verify, stored or self._nobodys, comparable(password))
        return matches and stored is not None

    def is_outdated(self, stored: str | None) -> bool:
        """Return True if the hash was made with other parameters than today's."""
        return stored is not None and self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
