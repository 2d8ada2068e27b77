"""GET /cheep/{cheep_id}, from MongoDB."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from cheeper_contracts.views import CheepDocument
from read_api.queries.shapes import CHEEP, ShownCheep, as_shown
from read_api.query_bus.query import Query, Result

ANSWERS_SHOWN: Final = 10


class Cheep(Query, frozen=True, kw_only=True):
    """A cheep with its first answers."""

    subject = CHEEP

    cheep_id: str


class CheepWithAnswers(ShownCheep, frozen=True, kw_only=True):
    """A cheep, its first answers, oldest first, and the number of all its answers."""

    answers: list[ShownCheep]
    number_of_answers: int


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A cheep as the view has it, with its oldest answers."""

    cheep: CheepDocument
    answers: list[CheepDocument]


class Cheeps(Protocol):
    """The view of cheeps."""

    async def thread(self, cheep_id: str, *, answers: int, after: str | None) -> Result[Thread]:
        """Return a cheep that is not deleted, with at most so many answers. Raise StoreUnavailableError."""


async def show_cheep(query: Cheep, cheeps: Cheeps) -> Result[CheepWithAnswers]:
    """Return the cheep."""
    return (await cheeps.thread(query.cheep_id, answers=ANSWERS_SHOWN, after=query.after)).map(_with_answers)


def _with_answers(thread: Thread) -> CheepWithAnswers:
    return CheepWithAnswers(
        **msgspec.structs.asdict(as_shown(thread.cheep)),
        answers=[as_shown(answer) for answer in thread.answers],
        number_of_answers=thread.cheep.number_of_answers,
    )
