"""The query, the search request and the page that the two searches share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final, Generic, Literal, TypeVar

import msgspec

from cheeper_contracts.words import words_of
from read_api.query_bus.query import Query

RESULTS: Final = 20
RESULTS_MAX: Final = 100
PAGE_MAX: Final = 999_999_999
Q_LENGTH: Final = 260
"""The longest `q`: as long as the longest text that it is searched in."""

SortBy = Literal["created_at"]
SortOrder = Literal["desc", "asc"]

Document = TypeVar("Document")
Page = TypeVar("Page")


class SearchQuery(Query, frozen=True, kw_only=True):
    """A search: every word of `q` must be the beginning of some word of the text. Pages are counted from 1."""

    q: str
    page: int = 1
    page_size: int = RESULTS
    sort_by: SortBy = "created_at"
    sort_order: SortOrder = "desc"


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The documents that a view is to find: those that have a word beginning with each of `prefixes`, ordered by time
    and id, the newest first or last, without the first `skip`, at most `limit`.
    """

    prefixes: list[str]
    newest_first: bool
    skip: int
    limit: int


class Matches(msgspec.Struct, Generic[Document], frozen=True, kw_only=True):
    """The documents of one page, in order, and the number of documents on all pages, both at the same moment."""

    documents: list[Document]
    total: int


def search_request(query: SearchQuery) -> SearchRequest:
    """Return the request to the view."""
    words = words_of(query.q)
    return SearchRequest(
        # The words are sorted, so a longer one comes next. A word that begins another one is implied by it.
        prefixes=[word for word, longer in pairwise([*words, ""]) if not longer.startswith(word)],
        newest_first=query.sort_order == "desc",
        skip=(query.page - 1) * query.page_size,
        limit=query.page_size,
    )


def search_page(shape: Callable[..., Page], query: SearchQuery, total: int, items: list[Document]) -> Page:
    """Return a page of that shape."""
    return shape(
        items=items,
        total=total,
        page=query.page,
        page_size=query.page_size,
        total_pages=-(-total // query.page_size),
    )
