"""The verifier of tokens: from the text of a token to its claims, or to the reason why it is refused."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import jwt
import msgspec

from cheeper_runtime.tokens.errors import InvalidTokenError
from cheeper_runtime.tokens.issuers import Issuer
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.keys import Key
from cheeper_runtime.tokens.signed import LEEWAY_SECONDS, header_of, verified

_LONGEST: Final = 8 * 1024
_LATEST: Final = 2**53
_CACHED: Final = 10_000
"""The most verified tokens that are remembered, some 3 MB."""
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of a verified token: its caller's id, a UUID in lower case, and roles."""

    caller: str
    roles: tuple[str, ...] = ()


class _Verified(msgspec.Struct, frozen=True, kw_only=True):
    claims: Claims
    until: float
    keys: KeySet
    kid: str | None
    key: Key


class Verifier:
    """Verifies tokens of the issuers. A verified token is remembered until it expires, or its key is withdrawn. `clock`
    is the time in seconds since the epoch, for tokens that are remembered.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        *,
        key_set: Callable[[Issuer], KeySet] = KeySet,
        clock: Callable[[], float] = time.time,
        cached: int = _CACHED,
    ) -> None:
        self._issuers = {issuer.issuer: (issuer, key_set(issuer)) for issuer in issuers}
        self._clock = clock
        self._cached = cached
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    async def fetch_keys(self) -> None:
        """Fetch the keys of all issuers, so that the first request need not wait for them. Never raise."""
        for _, keys in self._issuers.values():
            await keys.refresh()

    async def verify(self, token: str) -> Claims:
        """Return the claims. Raise InvalidTokenError, or KeysUnavailableError if the issuer's keys are not known."""
        if len(token) > _LONGEST:
            raise InvalidTokenError(f"The token has more than {_LONGEST} characters")
        digest = blake2b(token.encode(), digest_size=32).digest()
        known = self._verified.get(digest)
        if known is not None:
            if self._clock() < known.until and known.keys.known(known.kid) == known.key:
                self._verified.move_to_end(digest)
                return known.claims
            del self._verified[digest]
        found = await self._verify(token)
        self._verified[digest] = found
        while len(self._verified) > self._cached:
            self._verified.popitem(last=False)
        return found.claims

    async def _verify(self, token: str) -> _Verified:
        header = header_of(token, _TYPES, "an access token")
        issuer, keys = self._issuer_of(token)
        key, claims = await verified(token, header, issuer, keys, [issuer.author_claim])
        return _Verified(
            claims=Claims(caller=_caller(claims, issuer), roles=_roles(claims)),
            until=min(int(claims["exp"]), _LATEST) + LEEWAY_SECONDS,
            keys=keys,
            kid=header.kid,
            key=key,
        )

    def _issuer_of(self, token: str) -> tuple[Issuer, KeySet]:
        """Return the issuer that a token names, before anything of the token is verified."""
        try:
            named = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise InvalidTokenError("The token cannot be read") from None
        found = self._issuers.get(named) if isinstance(named, str) else None
        if found is None:
            raise InvalidTokenError("The token's issuer is not accepted here")
        return found


def _caller(claims: dict[str, Any], issuer: Issuer) -> str:
    caller = claims[issuer.author_claim]
    try:
        return str(UUID(caller)) if isinstance(caller, str) and len(caller) == len(str(UUID(int=0))) else _refuse()
    except ValueError:
        return _refuse()


def _refuse() -> str:
    raise InvalidTokenError("The token's claim of its caller is not a UUID")


def _roles(claims: dict[str, Any]) -> tuple[str, ...]:
    roles = claims.get("roles")
    return tuple(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else ()
