"""GET /author?username=, from MongoDB."""

from __future__ import annotations

from typing import Protocol

from cheeper_contracts.views import AuthorDocument
from read_api.queries.author import AuthorProfile, profile_of
from read_api.query_bus.query import Query, Result, Subject

USERNAME_PATTERN = "^[A-Za-z0-9_]{1,30}$"


class AuthorByUsername(Query, frozen=True, kw_only=True):
    """The profile and counts of the author of a username, in upper or lower case."""

    subject = Subject("Author", "username")

    username: str


class AuthorsByUsername(Protocol):
    """The view of authors by username."""

    async def named(self, username_folded: str, *, after: str | None) -> Result[AuthorDocument]:
        """Return the document of the author with that username in lower case. Raise StoreUnavailableError."""


async def find_author_by_username(query: AuthorByUsername, authors: AuthorsByUsername) -> Result[AuthorProfile]:
    """Return the profile of the author with that username in any case, or no data if there is none."""
    return (await authors.named(query.username.lower(), after=query.after)).map(profile_of)
