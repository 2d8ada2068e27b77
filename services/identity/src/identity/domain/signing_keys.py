"""Signing keys: when a key is made, published, used and withdrawn.

Verifiers fetch the keys every 300 s. So a key is published for longer than that before it signs, and stays published
until the last token that it signed has expired, with the verifiers' leeway.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final
from uuid import uuid4

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TOKEN_SECONDS: Final = 900
REREAD_SECONDS: Final = 30
"""Each process reads the keys anew after so long."""
PUBLISHED_BEFORE: Final = 300 + 2 * REREAD_SECONDS
"""The seconds between the publication of a key and its first signature."""
KEPT_AFTER: Final = TOKEN_SECONDS + 30 + REREAD_SECONDS
"""The seconds between the last signature of a key and its withdrawal."""
ROTATED_AFTER: Final = 30 * 24 * 3600


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """An Ed25519 key. It signs from `signs_from`, in seconds since 1970, until the next key does."""

    kid: str
    private: bytes
    signs_from: int


class Plan(msgspec.Struct, frozen=True):
    """The change that a set of keys needs now."""

    add: SigningKey | None = None
    withdraw: tuple[str, ...] = ()


def plan(keys: Sequence[SigningKey], now: int, *, rotate: bool = False) -> Plan:
    """Return the change: the first key, which signs at once; the next one if the newest is old, or if `rotate` is set
    and no next one waits; and the withdrawal of those whose tokens have all expired.
    """
    ordered = _ordered(keys)
    expired = tuple(old.kid for old, new in pairwise(ordered) if now > new.signs_from + KEPT_AFTER)
    if not ordered:
        return Plan(_new(now))
    newest = ordered[-1].signs_from
    if newest <= now and (rotate or now - newest >= ROTATED_AFTER):
        return Plan(_new(now + PUBLISHED_BEFORE), expired)
    return Plan(None, expired)


def signer(keys: Sequence[SigningKey], now: int) -> SigningKey:
    """Return the key that signs now. Raise LookupError if there is none.

    It is the first one even before its time, which the clock of another machine may have set.
    """
    ordered = _ordered(keys)
    active = [key for key in ordered if key.signs_from <= now] or ordered[:1]
    if not active:
        raise LookupError("there is no signing key")
    return active[-1]


def sign(key: SigningKey, claims: dict[str, Any]) -> str:
    """Return the token of these claims."""
    private = Ed25519PrivateKey.from_private_bytes(key.private)
    return jwt.encode(claims, private, algorithm="EdDSA", headers={"kid": key.kid, "typ": "at+jwt"})


def key_set(keys: Sequence[SigningKey]) -> dict[str, Any]:
    """Return the JSON Web Key Set of the public halves."""
    return {"keys": [_published(key) for key in _ordered(keys)]}


def _published(key: SigningKey) -> dict[str, Any]:
    public = Ed25519PrivateKey.from_private_bytes(key.private).public_key()
    members: dict[str, Any] = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(public))
    return {**members, "kid": key.kid, "use": "sig", "alg": "EdDSA"}


def _new(signs_from: int) -> SigningKey:
    return SigningKey(kid=str(uuid4()), private=Ed25519PrivateKey.generate().private_bytes_raw(), signs_from=signs_from)


def _ordered(keys: Sequence[SigningKey]) -> list[SigningKey]:
    return sorted(keys, key=lambda key: (key.signs_from, key.kid))
