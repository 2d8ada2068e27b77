"""GET /search, from MongoDB."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cheeper_contracts.views import CheepDocument, CheepRecord
from read_api.queries.search import Results, SearchQuery, Wanted, pages_of, wanted_of
from read_api.queries.shapes import as_record
from read_api.query_bus.query import Found, NotFoundError, cheep_not_found
from read_api.query_bus.read_your_writes import Waiter


class SearchCheeps(SearchQuery, frozen=True, kw_only=True):
    """Which cheeps, of one author or of all, have these words in their message?"""

    author_id: str | None = None


class FoundCheeps(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: a page of the cheeps, and how many there are."""

    items: list[CheepRecord]
    total: int
    page: int
    page_size: int
    total_pages: int


class CheepSearch(Protocol):
    """The view of cheeps by their words."""

    async def cheeps(self, wanted: Wanted, *, author_id: str | None, after: str | None) -> Results[CheepDocument]:
        """The wanted cheeps, of one author where one is given. Raises StoreAwayError."""


class FindCheeps:
    """Answers SearchCheeps."""

    def __init__(self, search: CheepSearch, waiter: Waiter) -> None:
        self._search = search
        self.waiter = waiter

    async def look(self, query: SearchCheeps) -> Found[FoundCheeps]:
        """A page of the cheeps now."""
        results = await self._search.cheeps(wanted_of(query), author_id=query.author_id, after=query.after)
        data = FoundCheeps(
            items=[as_record(document) for document in results.documents],
            total=results.total,
            page=query.page,
            page_size=query.page_size,
            total_pages=pages_of(results.total, query.page_size),
        )
        return Found(data=data, settled=results.settled)

    def missing(self, query: SearchCheeps) -> NotFoundError:
        """Never so: where nothing is found the answer is empty."""
        return cheep_not_found(query.q)
