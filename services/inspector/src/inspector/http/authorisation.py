"""Authorisation: whether the caller is the one that a route requires. This is its one place."""

from __future__ import annotations

from collections.abc import Iterable

from cheeper_contracts.actors import OPERATOR, OPERATOR_ROLE
from cheeper_contracts.http.routes import Route
from cheeper_runtime.tokens.bearer import authenticate
from cheeper_runtime.tokens.verifier import Verifier


class NotAllowedError(Exception):
    """The caller is no operator."""


async def require(route: Route, verifier: Verifier | None, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the sender of these headers, who may send the request. Without a verifier the API is open, on loopback
    alone, and the sender is unknown.

    Raise UnauthenticatedError, KeysUnavailableError or NotAllowedError.
    """
    if verifier is None:
        return None
    authentication = await authenticate(verifier, headers)
    caller = authentication.required()
    if route.reader != OPERATOR or OPERATOR_ROLE not in authentication.roles:
        raise NotAllowedError
    return caller
