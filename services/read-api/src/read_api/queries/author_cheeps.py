"""GET /author/{author_id}/cheeps, from MongoDB."""

from __future__ import annotations

from typing import Protocol

from cheeper_contracts.views import CheepDocument
from read_api.queries.shapes import CheepList, as_list, place_of_cheep
from read_api.query_bus.paging import Listed, ListQuery, Part, page_of, part_of
from read_api.query_bus.query import Found, NotFoundError, author_not_found
from read_api.query_bus.read_your_writes import Waiter


class AuthorCheeps(ListQuery, frozen=True, kw_only=True):
    """What has an author posted, answers too?"""

    author_id: str


class CheepsOfAuthors(Protocol):
    """The view of cheeps by author."""

    async def of_author(self, author_id: str, part: Part, *, after: str | None) -> Listed[CheepDocument]:
        """The author's cheeps, the newest first; no list where there is no such author. Raises StoreAwayError."""


class ListAuthorCheeps:
    """Answers AuthorCheeps."""

    def __init__(self, cheeps: CheepsOfAuthors, waiter: Waiter) -> None:
        self._cheeps = cheeps
        self.waiter = waiter

    async def look(self, query: AuthorCheeps) -> Found[CheepList]:
        """A page of the author's cheeps now."""
        listed = await self._cheeps.of_author(query.author_id, part_of(query), after=query.after)
        return page_of(query, listed, place_of_cheep, as_list)

    def missing(self, query: AuthorCheeps) -> NotFoundError:
        """No such author."""
        return author_not_found(query.author_id)
