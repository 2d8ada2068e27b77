"""Public keys: from a JSON Web Key Set to the keys that may verify a token, each with the algorithms of its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import jwt
import msgspec

ALGORITHMS: Final = ("EdDSA", "ES256", "RS256", "PS256")
"""All algorithms that are accepted. None of them has a secret that a verifier knows."""
_RSA_BITS: Final = 2048
_TYPES: Final[Mapping[tuple[str, str | None], tuple[tuple[str, ...], tuple[str, ...]]]] = {
    ("OKP", "Ed25519"): (("EdDSA",), ("kty", "crv", "x")),
    ("EC", "P-256"): (("ES256",), ("kty", "crv", "x", "y")),
    ("RSA", None): (("RS256", "PS256"), ("kty", "n", "e")),
}
"""The algorithms of each type and curve, and the public members of such a key."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A public key, `source` as it was published. Two keys with the same source are equal."""

    source: Mapping[str, str]
    algorithms: tuple[str, ...]
    public: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and (self.source, self.algorithms) == (other.source, other.algorithms)

    __hash__ = None  # type: ignore[assignment]


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


def keys_of(text: bytes) -> dict[str | None, Key]:
    """Return the usable keys of a JSON Web Key Set by their ids. Raise ValueError if it is none.

    Keys of other types, for other uses, or too short ones, are left out: a set may have keys for other programs.
    """
    try:
        found = msgspec.json.decode(text, type=_KeySet).keys
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"no JSON Web Key Set: {error}") from None
    pairs = [(each.get("kid"), _key(each)) for each in found]
    return {kid: key for kid, key in pairs if key is not None and (kid is None or isinstance(kid, str))}


def _key(data: Mapping[str, Any]) -> Key | None:
    type_, curve, use = str(data.get("kty")), data.get("crv"), str(data.get("use", "sig"))
    algorithms, members = _TYPES.get((type_, None if curve is None else str(curve)), ((), ()))
    allowed = tuple(each for each in algorithms if data.get("alg", each) == each)
    if not allowed or use != "sig":
        return None
    source = {name: data[name] for name in members if isinstance(data.get(name), str)}
    try:
        public = jwt.PyJWK(dict(source), allowed[0]).key
    except (jwt.PyJWTError, KeyError):
        return None
    if type_ == "RSA" and public.key_size < _RSA_BITS:
        return None
    return Key(source=source, algorithms=allowed, public=public)
