"""Authorisation: whether the caller of a query is the one that its route requires. This is its one place."""

from __future__ import annotations

from collections.abc import Mapping

from cheeper_contracts.actors import ANYONE, SENDER
from cheeper_runtime.tokens.bearer import Authentication


class NotAllowedError(Exception):
    """The query is for another author alone."""


def required_sender(reader: str | None, parameters: Mapping[str, str], authentication: Authentication) -> str | None:
    """Return the author who must have sent what the query is about, or None if it is about no one author.

    `reader` is the declaration of the route, `parameters` are those of its path. Raise UnauthenticatedError,
    KeysUnavailableError or NotAllowedError.
    """
    if reader == ANYONE:
        return None
    caller = authentication.required()
    if reader == SENDER:
        return caller
    if reader is None or parameters[reader].lower() != caller:
        raise NotAllowedError
    return None
