"""The query, the search request and the page that the two searches share.

The cost of a search grows with what it finds, so a search shows no more than TOTAL_MAX: it counts no further, and has
no page beyond. A `q` of nothing but single Latin letters, each of which begins a word of most texts, is no search.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final, Generic, Literal, TypeVar

import msgspec

from cheeper_contracts.words import words_of
from read_api.query_bus.query import Query, Result

RESULTS: Final = 20
RESULTS_MAX: Final = 100
PAGE_MAX: Final = 999_999_999
Q_LENGTH: Final = 260
"""The longest `q`: as long as the longest text that it is searched in."""
TOTAL_MAX: Final = 1_000
"""The most that is counted, and the most that all pages together show."""

SortBy = Literal["created_at"]
SortOrder = Literal["desc", "asc"]

Document = TypeVar("Document")
Item = TypeVar("Item")
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
    """The documents of one page, in order, and the number of documents on all pages, both at the same moment: TOTAL_MAX
    at most, and `total_is_capped` is True if more match.
    """

    documents: list[Document]
    total: int
    total_is_capped: bool


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


def is_a_search(q: str) -> bool:
    """Return whether a text has a word that is not a single Latin letter. Accents are no difference: é is one, too."""
    return any(len(word) > 1 or not (word.isascii() and word.isalpha()) for word in words_of(q))


def search_page(
    shape: Callable[..., Page],
    query: SearchQuery,
    found: Result[Matches[Document]],
    convert: Callable[[list[Document]], list[Item]],
) -> Result[Page]:
    """Return the page of that shape which a view found."""
    matches = found.data
    if matches is None:
        return Result(data=None, settled=found.settled)
    page = shape(
        items=convert(matches.documents),
        total=matches.total,
        page=query.page,
        page_size=query.page_size,
        total_pages=-(-matches.total // query.page_size),
    )
    return Result(data=page, settled=found.settled, total_is_capped=matches.total_is_capped)
