"""What the two searches share: the question, what a view finds, and how a page says how many there are."""

from __future__ import annotations

from itertools import pairwise
from typing import Generic, Literal, TypeVar

import msgspec

from cheeper_contracts.words import words_of
from read_api.query_bus.query import Query

RESULTS = 20
RESULTS_MAX = 100
PAGE_MAX = 999_999_999
Q_LENGTH = 260
"""Of `q`: as long as the longest text that it could be looked for in."""

SortBy = Literal["created_at"]
SortOrder = Literal["desc", "asc"]

Document = TypeVar("Document")


class SearchQuery(Query, frozen=True, kw_only=True):
    """A search: every word of `q` must begin some word of the text. Pages are counted from 1."""

    q: str
    page: int = 1
    page_size: int = RESULTS
    sort_by: SortBy = "created_at"
    sort_order: SortOrder = "desc"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a view is to find: the documents that have a word beginning with each of `prefixes`, by time and id, the
    newest first or last, without the first `skip` and at most `most`.
    """

    prefixes: list[str]
    newest_first: bool
    skip: int
    most: int


class Results(msgspec.Struct, Generic[Document], frozen=True, kw_only=True):
    """What a view found: the wanted documents in order, how many there are on all pages, both of the same moment, and
    whether `after` is settled in them.
    """

    documents: list[Document]
    total: int
    settled: bool


def wanted_of(query: SearchQuery) -> Wanted:
    """What to ask the view for."""
    words = words_of(query.q)
    return Wanted(
        # Sorted, so what is longer comes next: what a longer word begins with, the shorter one does anyway.
        prefixes=[word for word, longer in pairwise([*words, ""]) if not longer.startswith(word)],
        newest_first=query.sort_order == "desc",
        skip=(query.page - 1) * query.page_size,
        most=query.page_size,
    )


def pages_of(total: int, page_size: int) -> int:
    """How many pages there are."""
    return -(-total // page_size)
