"""Signed tokens, whatever they are for: from a token's text and its issuer's keys to its claims."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import jwt
import msgspec

from cheeper_runtime.tokens.errors import InvalidTokenError
from cheeper_runtime.tokens.issuers import Issuer
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.keys import ALGORITHMS, Key

LEEWAY_SECONDS: Final = 30
_REFUSED_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"})
"""Headers by which a token would choose its own key, or change how it is read."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The accepted content of a token's header: the id of its key, if any, and one of ALGORITHMS."""

    kid: str | None
    algorithm: str


def header_of(token: str, types: Collection[str], kind: str) -> Header:
    """Return the header of a token whose type is one of these, in lower case. Raise InvalidTokenError, whose sentence
    calls what is wanted by its `kind`, such as "an access token".
    """
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise InvalidTokenError("The token cannot be read") from None
    algorithm, kid, type_ = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise InvalidTokenError("The token's algorithm is not accepted here")
    if not _REFUSED_HEADERS.isdisjoint(header):
        raise InvalidTokenError("The token has a header that is not accepted here")
    if not isinstance(type_, str) or type_.lower() not in types:
        raise InvalidTokenError(f"The token is not {kind}")
    return Header(kid=kid, algorithm=algorithm)


async def verified(
    token: str, header: Header, issuer: Issuer, keys: KeySet, required: Sequence[str]
) -> tuple[Key, dict[str, Any]]:
    """Return the key that signed a token, and its claims, which have all that are required.

    Raise InvalidTokenError, or KeysUnavailableError if the issuer's keys are not known.
    """
    key = await keys.key(header.kid)
    if header.algorithm not in key.algorithms:
        raise InvalidTokenError("The token's algorithm is not one of its key")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public,
            algorithms=[header.algorithm],
            audience=issuer.audience,
            issuer=issuer.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud", *required]},
        )
    except jwt.ExpiredSignatureError:
        raise InvalidTokenError("The token has expired") from None
    except jwt.ImmatureSignatureError:
        raise InvalidTokenError("The token is not valid yet") from None
    except jwt.InvalidAudienceError:
        raise InvalidTokenError("The token is for another audience") from None
    except (jwt.PyJWTError, ValueError, OverflowError):
        raise InvalidTokenError("The token is not valid") from None
    return key, claims
