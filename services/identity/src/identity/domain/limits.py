"""Limits of attempts, as leaky buckets that the store keeps, so that they hold across replicas.

A bucket's level rises by one with each attempt and falls with time. An attempt is counted before a password is
compared, so that concurrent ones cannot pass together, and is given back if the password is right. Three buckets
count an attempt to sign in:

- the account and the client address together, which refuses: few guesses of one client for one account;
- the client address alone, which refuses: few guesses of one client for many accounts;
- the account alone, which only delays: guesses of many clients cost time, and nobody is locked out by a stranger.

Unknown accounts have buckets too, by the same hash, so a limit reveals nothing.
"""

from __future__ import annotations

import hashlib
from math import ceil
from typing import Final

import msgspec

_LONGEST_DELAY: Final = 4.0
_FREE: Final = 10
"""The level up to which wrong passwords for an account, from anywhere, delay nobody."""


class Bucket(msgspec.Struct, frozen=True):
    """A bucket: its key, the attempts that it holds, and the seconds in which one of them leaks out.

    It holds `most` attempts even if more arrive, so that it is empty again some time after they end.
    """

    key: bytes
    size: float
    seconds: float
    most: float = float("inf")

    def level(self, stored: float, at: float, now: float) -> float:
        """Return the level now of a bucket that had the stored level at a time, in seconds since 1970."""
        return min(self.most, max(0.0, stored - max(0.0, now - at) / self.seconds))

    def wait(self, level: float) -> int:
        """Return the whole seconds until an attempt fits, 0 if it does now."""
        over = level + 1 - self.size
        return 0 if over <= 0 else ceil(over * self.seconds)


def sign_in_buckets(address: str, client: str) -> tuple[Bucket, Bucket]:
    """Return the buckets that may refuse an attempt to sign in: account and client, and client alone."""
    return (Bucket(_key("pair", address, client), 5, 60), Bucket(_key("client", client), 30, 10))


def account_bucket(address: str) -> Bucket:
    """Return the bucket of an account's wrong passwords, which delays and never refuses."""
    return Bucket(_key("account", address), float("inf"), 60, most=60)


def mail_buckets(address: str, client: str) -> tuple[Bucket, Bucket]:
    """Return the buckets of mails: to one address, and for one client."""
    return (Bucket(_key("mail", address), 3, 1200), Bucket(_key("mails", client), 10, 360))


def external_buckets(client: str) -> tuple[Bucket]:
    """Return the bucket of sign-ins by a provider that one client begins."""
    return (Bucket(_key("external", client), 30, 10),)


def delay(level: float) -> float:
    """Return the seconds that an attempt waits at that level of its account's bucket: 0, then 0.25 to 4."""
    return 0.0 if level <= _FREE else min(_LONGEST_DELAY, 0.25 * 2 ** min(10.0, (level - _FREE) / 10))


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).digest()
