"""GET /search/authors, from MongoDB."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cheeper_contracts.views import AuthorDocument
from read_api.queries.author import AuthorProfile, profile_of
from read_api.queries.search import Matches, SearchQuery, SearchRequest, search_page, search_request
from read_api.query_bus.query import Result


class SearchAuthors(SearchQuery, frozen=True, kw_only=True):
    """The authors with some words in their username and name."""


class FoundAuthors(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the authors that were found, and their number up to a bound."""

    items: list[AuthorProfile]
    total: int
    page: int
    page_size: int
    total_pages: int


class AuthorSearch(Protocol):
    """The view of authors by their words."""

    async def authors(self, request: SearchRequest, *, after: str | None) -> Result[Matches[AuthorDocument]]:
        """Return the authors that match. Raise StoreUnavailableError."""


async def search_authors(query: SearchAuthors, search: AuthorSearch) -> Result[FoundAuthors]:
    """Return a page of the authors."""
    found = await search.authors(search_request(query), after=query.after)
    return search_page(FoundAuthors, query, found, _profiles)


def _profiles(documents: list[AuthorDocument]) -> list[AuthorProfile]:
    return [profile for document in documents if (profile := profile_of(document))]
