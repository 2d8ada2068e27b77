"""The caller of a request, from its header `Authorization: Bearer …` (RFC 6750)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from cheeper_runtime.tokens.errors import InvalidTokenError, KeysUnavailableError
from cheeper_runtime.tokens.issuers import Issuer
from cheeper_runtime.tokens.verifier import Verifier

Mode = Literal["open", "tokens"]
"""`open`: nobody shows who they are, and everybody may do everything. `tokens`: callers show a token."""

CHALLENGE: Final = 'Bearer realm="api"'
"""The value of WWW-Authenticate on a request without a token."""
_HEADER: Final = b"authorization"
_SCHEME: Final = "bearer"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class UnauthenticatedError(Exception):
    """The request needs a caller and has none. `challenge` is the value of WWW-Authenticate, the text is a sentence."""

    def __init__(self, message: str, challenge: str) -> None:
        super().__init__(message)
        self.challenge = challenge


class Authentication(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one request: its caller and their roles, or the error of its token, or nothing without a token."""

    caller: str | None = None
    roles: tuple[str, ...] = ()
    error: InvalidTokenError | KeysUnavailableError | None = None

    def required(self) -> str:
        """Return the caller. Raise UnauthenticatedError, or KeysUnavailableError if nobody can know the caller now."""
        if self.caller is not None:
            return self.caller
        if isinstance(self.error, KeysUnavailableError):
            raise self.error
        if self.error is None:
            raise UnauthenticatedError("This needs a token, in the header Authorization: Bearer …", CHALLENGE)
        raise UnauthenticatedError(str(self.error), f'{CHALLENGE}, error="invalid_token"')


async def verifier_of(mode: Mode, issuers: Sequence[Issuer]) -> Verifier | None:
    """Return the verifier of a service, which has tried to fetch the issuers' keys, or None if the API is open."""
    if mode == "open":
        return None
    verifier = Verifier(issuers)
    await verifier.fetch_keys()
    return verifier


async def authenticate(verifier: Verifier, headers: Iterable[tuple[bytes, bytes]]) -> Authentication:
    """Return who sent a request with these headers, whose names are in lower case. Never raise."""
    try:
        token = _token([value for name, value in headers if name == _HEADER])
        claims = None if token is None else await verifier.verify(token)
    except (InvalidTokenError, KeysUnavailableError) as error:
        return Authentication(error=error)
    return Authentication() if claims is None else Authentication(caller=claims.caller, roles=claims.roles)


def _token(given: Sequence[bytes]) -> str | None:
    """Return the token, or None if there is no header. Raise InvalidTokenError."""
    if not given:
        return None
    if len(given) > 1:
        raise InvalidTokenError("Authorization must be given at most once")
    scheme, _, token = given[0].decode("latin-1").partition(" ")
    if scheme.lower() != _SCHEME or not token.isascii():
        raise InvalidTokenError("Authorization must be Bearer and a token")
    return token.strip()


def unsafe(mode: Mode, issuers: tuple[Issuer, ...], gateway: str) -> str | None:
    """Return why the settings are refused, or None. `gateway` is the address at which the gateway listens."""
    if mode == "tokens" and not issuers:
        return "AUTH=tokens needs ISSUERS, the issuers whose tokens are accepted"
    if mode == "open" and gateway not in LOOPBACK:
        return (
            f"AUTH=open lets everybody act as anybody, so the gateway must listen on loopback and not on {gateway}: set"
            " AUTH=tokens with ISSUERS, or GATEWAY_ADDRESS=127.0.0.1"
        )
    return None
