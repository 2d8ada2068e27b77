"""GET /author?username=, from MongoDB."""

from __future__ import annotations

from typing import Protocol

from cheeper_contracts.views import AuthorDocument
from read_api.queries.author import AuthorProfile, profile_of
from read_api.query_bus.query import Found, NotFoundError, Query, author_not_found
from read_api.query_bus.read_your_writes import Waiter

USERNAME_PATTERN = "^[A-Za-z0-9_]{1,30}$"


class AuthorByUsername(Query, frozen=True, kw_only=True):
    """Who is the author of a username, in upper or lower case?"""

    username: str


class AuthorsByUsername(Protocol):
    """The view of authors by username."""

    async def named(self, username_folded: str, *, after: str | None) -> tuple[AuthorDocument | None, bool]:
        """The document of the author of that username in lower case, and whether `after` is settled in it. Raises
        StoreAwayError.
        """


class FindAuthorByUsername:
    """Answers AuthorByUsername."""

    def __init__(self, authors: AuthorsByUsername, waiter: Waiter) -> None:
        self._authors = authors
        self.waiter = waiter

    async def look(self, query: AuthorByUsername) -> Found[AuthorProfile]:
        """The author's profile and counts now."""
        document, settled = await self._authors.named(query.username.lower(), after=query.after)
        return Found(data=None if document is None else profile_of(document), settled=settled)

    def missing(self, query: AuthorByUsername) -> NotFoundError:
        """No such author."""
        return author_not_found(query.username)
