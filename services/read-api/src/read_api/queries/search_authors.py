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
    """A page of the authors that were found, and their number."""

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

    def page(matches: Matches[AuthorDocument]) -> FoundAuthors:
        profiles = [profile for document in matches.documents if (profile := profile_of(document))]
        return search_page(FoundAuthors, query, matches.total, profiles)

    return (await search.authors(search_request(query), after=query.after)).map(page)
