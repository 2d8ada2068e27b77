"""GET /author/{author_id}/cheeps, from MongoDB."""

from __future__ import annotations

from typing import Protocol

from cheeper_contracts.views import CheepDocument
from read_api.queries.shapes import AUTHOR, CheepList, as_cheep_list, position_of_cheep
from read_api.query_bus.paging import ListQuery, Slice, page_of, slice_of
from read_api.query_bus.query import Result


class AuthorCheeps(ListQuery, frozen=True, kw_only=True):
    """The cheeps and answers that an author has posted, newest first."""

    subject = AUTHOR
    owner = "author_id"

    author_id: str


class CheepsOfAuthors(Protocol):
    """The view of cheeps by author."""

    async def of_author(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[CheepDocument]]:
        """Return a part of the author's cheeps, newest first. Raise StoreUnavailableError."""


async def list_author_cheeps(query: AuthorCheeps, cheeps: CheepsOfAuthors) -> Result[CheepList]:
    """Return a page of the author's cheeps."""
    found = await cheeps.of_author(query.author_id, slice_of(query), after=query.after)
    return page_of(query, found, position_of_cheep, as_cheep_list)
