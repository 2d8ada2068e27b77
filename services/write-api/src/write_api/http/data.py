"""The shapes of `data` that several commands answer with."""

from __future__ import annotations

import msgspec


class AuthorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whose sign-up, profile or address it is."""

    author_id: str


class CheepAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Which cheep it is."""

    cheep_id: str
