"""GET /cheep/{cheep_id}, from MongoDB."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cheeper_contracts.views import CheepDocument, CheepRecord
from read_api.queries.shapes import as_record
from read_api.query_bus.query import Found, NotFoundError, Query, cheep_not_found
from read_api.query_bus.read_your_writes import Waiter

ANSWERS_SHOWN = 10


class Cheep(Query, frozen=True, kw_only=True):
    """What does a cheep say, and who answered?"""

    cheep_id: str


class CheepWithAnswers(CheepRecord, frozen=True, kw_only=True):
    """The answer: the cheep, its first answers, oldest first, and how many there are."""

    answers: list[CheepRecord]
    number_of_answers: int


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """What a look-up gives: a cheep and its oldest answers, found by index, and their number."""

    cheep: CheepDocument
    answers: list[CheepDocument]
    number_of_answers: int


class Cheeps(Protocol):
    """The view of cheeps."""

    async def thread(self, cheep_id: str, *, answers: int, after: str | None) -> tuple[Thread | None, bool]:
        """The cheep with its oldest `answers`, and whether `after` is settled in it. Raises StoreAwayError."""


class ShowCheep:
    """Answers Cheep."""

    def __init__(self, cheeps: Cheeps, waiter: Waiter) -> None:
        self._cheeps = cheeps
        self.waiter = waiter

    async def look(self, query: Cheep) -> Found[CheepWithAnswers]:
        """The cheep now."""
        thread, settled = await self._cheeps.thread(query.cheep_id, answers=ANSWERS_SHOWN, after=query.after)
        return Found(data=None if thread is None else _shown(thread), settled=settled)

    def missing(self, query: Cheep) -> NotFoundError:
        """No such cheep."""
        return cheep_not_found(query.cheep_id)


def _shown(thread: Thread) -> CheepWithAnswers:
    return CheepWithAnswers(
        **msgspec.structs.asdict(as_record(thread.cheep)),
        answers=[as_record(answer) for answer in thread.answers],
        number_of_answers=thread.number_of_answers,
    )
