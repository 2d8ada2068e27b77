"""GET /cheep/{cheep_id}/answers, from MongoDB."""

from __future__ import annotations

from typing import Protocol

from cheeper_contracts.views import CheepDocument
from read_api.queries.shapes import CheepList, as_list, place_of_cheep
from read_api.query_bus.paging import Listed, ListQuery, Part, page_of, part_of
from read_api.query_bus.query import Found, NotFoundError, cheep_not_found
from read_api.query_bus.read_your_writes import Waiter


class CheepAnswers(ListQuery, frozen=True, kw_only=True):
    """What was answered to a cheep, also to one that is deleted?"""

    cheep_id: str


class AnswersToCheeps(Protocol):
    """The view of cheeps by what they answer."""

    async def answers(self, cheep_id: str, part: Part, *, after: str | None) -> Listed[CheepDocument]:
        """The answers to a cheep, the oldest first; no list where there never was such a cheep. Raises
        StoreAwayError.
        """


class ListCheepAnswers:
    """Answers CheepAnswers."""

    def __init__(self, cheeps: AnswersToCheeps, waiter: Waiter) -> None:
        self._cheeps = cheeps
        self.waiter = waiter

    async def look(self, query: CheepAnswers) -> Found[CheepList]:
        """A page of the answers now."""
        listed = await self._cheeps.answers(query.cheep_id, part_of(query), after=query.after)
        return page_of(query, listed, place_of_cheep, as_list)

    def missing(self, query: CheepAnswers) -> NotFoundError:
        """No such cheep, and none that was deleted."""
        return cheep_not_found(query.cheep_id)
