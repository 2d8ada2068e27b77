"""GET /search, from MongoDB."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cheeper_contracts.views import CheepDocument
from read_api.queries.search import Matches, SearchQuery, SearchRequest, search_page, search_request
from read_api.queries.shapes import ShownCheep, as_shown
from read_api.query_bus.query import Result


class SearchCheeps(SearchQuery, frozen=True, kw_only=True):
    """The cheeps, of one author or of all, with some words in their message."""

    author_id: str | None = None


class FoundCheeps(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the cheeps that were found, and their number up to a bound."""

    items: list[ShownCheep]
    total: int
    page: int
    page_size: int
    total_pages: int


class CheepSearch(Protocol):
    """The view of cheeps by their words."""

    async def cheeps(
        self, request: SearchRequest, *, author_id: str | None, after: str | None
    ) -> Result[Matches[CheepDocument]]:
        """Return the cheeps that match, of one author if one is given. Raise StoreUnavailableError."""


async def search_cheeps(query: SearchCheeps, search: CheepSearch) -> Result[FoundCheeps]:
    """Return a page of the cheeps."""
    found = await search.cheeps(search_request(query), author_id=query.author_id, after=query.after)
    return search_page(FoundCheeps, query, found, lambda documents: [as_shown(each) for each in documents])
