"""GET /cheep/{cheep_id}/answers, from MongoDB."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cheeper_contracts.views import CheepDocument
from read_api.queries.shapes import CHEEP, CheepList, as_cheep_list, position_of_cheep
from read_api.query_bus.paging import ListQuery, Slice, page_of, slice_of
from read_api.query_bus.query import Result


class CheepAnswers(ListQuery, frozen=True, kw_only=True):
    """The answers to a cheep, also to a deleted one, oldest first."""

    subject = CHEEP
    owner = "cheep_id"

    cheep_id: str


class AnswersToCheeps(Protocol):
    """The view of cheeps by the cheep that they answer."""

    async def answers(self, cheep_id: str, part: Slice, *, after: str | None) -> Result[list[CheepDocument]]:
        """Return a part of the answers to a cheep, oldest first, or None if it was never posted. Raise
        StoreUnavailableError.
        """


async def list_cheep_answers(query: CheepAnswers, cheeps: AnswersToCheeps) -> Result[CheepList]:
    """Return a page of the answers. A view counts them from the first one on; without a count, the only page has it."""
    found = await cheeps.answers(query.cheep_id, slice_of(query), after=query.after)
    page = page_of(query, found, position_of_cheep, as_cheep_list)
    if page.data is not None and page.total is None and query.cursor is None and page.next_cursor is None:
        return msgspec.structs.replace(page, total=len(page.data.cheeps))
    return page
