"""GET /search/authors, from MongoDB."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cheeper_contracts.views import AuthorDocument
from read_api.queries.author import AuthorProfile, profile_of
from read_api.queries.search import Results, SearchQuery, Wanted, pages_of, wanted_of
from read_api.query_bus.query import Found, NotFoundError, author_not_found
from read_api.query_bus.read_your_writes import Waiter


class SearchAuthors(SearchQuery, frozen=True, kw_only=True):
    """Which authors have these words in their username and name?"""


class FoundAuthors(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: a page of the authors, and how many there are."""

    items: list[AuthorProfile]
    total: int
    page: int
    page_size: int
    total_pages: int


class AuthorSearch(Protocol):
    """The view of authors by their words."""

    async def authors(self, wanted: Wanted, *, after: str | None) -> Results[AuthorDocument]:
        """The wanted authors. Raises StoreAwayError."""


class FindAuthors:
    """Answers SearchAuthors."""

    def __init__(self, search: AuthorSearch, waiter: Waiter) -> None:
        self._search = search
        self.waiter = waiter

    async def look(self, query: SearchAuthors) -> Found[FoundAuthors]:
        """A page of the authors now."""
        results = await self._search.authors(wanted_of(query), after=query.after)
        data = FoundAuthors(
            items=[profile for document in results.documents if (profile := profile_of(document))],
            total=results.total,
            page=query.page,
            page_size=query.page_size,
            total_pages=pages_of(results.total, query.page_size),
        )
        return Found(data=data, settled=results.settled)

    def missing(self, query: SearchAuthors) -> NotFoundError:
        """Never so: where nothing is found the answer is empty."""
        return author_not_found(query.q)
