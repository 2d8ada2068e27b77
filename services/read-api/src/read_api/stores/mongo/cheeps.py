"""Cheeps: one with its answers, those of an author, and those that answer another."""

from __future__ import annotations

from typing import Final

import msgspec

from cheeper_contracts.views import AUTHORS, CHEEPS, CheepDocument
from read_api.queries.cheep import Thread
from read_api.query_bus.paging import Slice
from read_api.query_bus.query import Result
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.listing import SIGNED_UP, Listing
from read_api.stores.mongo.reader import Reader

_NOT_DELETED: Final = {"author_id": {"$type": "string"}}
_POSTED: Final = {"$or": [_NOT_DELETED, {"deleted_at": {"$exists": True}}]}
"""Matches cheeps that were posted as far as this store has projected, and not only answered."""
_COUNT: Final = "number_of_answers"
_BY_AUTHOR: Final = Listing(
    owners=AUTHORS,
    entries=CHEEPS,
    shape=CheepDocument,
    owner="author_id",
    time="cheep_date",
    tie="_id",
    total={"$ifNull": ["$cheeps", 0]},
)
_ANSWERS: Final = Listing(
    owners=CHEEPS,
    entries=CHEEPS,
    shape=CheepDocument,
    owner="in_reply_to",
    time="cheep_date",
    tie="_id",
    newest_first=False,
    total=f"${_COUNT}",  # missing in views of before version 3
)


class MongoCheeps:
    """The view of cheeps."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def thread(self, cheep_id: str, *, answers: int, after: str | None) -> Result[Thread]:
        """Implement `Cheeps`."""
        with self._reader.deadline():
            found = await self._reader.first(CHEEPS, _thread_of(cheep_id, answers), after=after)
            if found.data is not None and _COUNT not in found.data:
                shown = len(found.data["answers"])
                found.data[_COUNT] = shown if shown < answers else await self._counted(cheep_id)
        return found.map(_as_thread)

    async def of_author(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[CheepDocument]]:
        """Implement `CheepsOfAuthors`."""
        return await _BY_AUTHOR.read(self._reader, author_id, part, matching=SIGNED_UP, after=after)

    async def answers(self, cheep_id: str, part: Slice, *, after: str | None) -> Result[list[CheepDocument]]:
        """Implement `AnswersToCheeps`. The owner may be deleted."""
        return await _ANSWERS.read(self._reader, cheep_id, part, matching=_POSTED, after=after)

    async def _counted(self, cheep_id: str) -> int:
        """Count the answers to a cheep. Only a view of before version 3, which is not rebuilt yet, needs that: the
        documents of later ones have their number from the first answer on.
        """
        counted = await self._reader.first(
            CHEEPS, [{"$match": {"in_reply_to": cheep_id}}, {"$count": _COUNT}], after=None
        )
        return 0 if counted.data is None else int(counted.data[_COUNT])


def _thread_of(cheep_id: str, answers: int) -> list[Document]:
    oldest = [{"$match": {"in_reply_to": cheep_id}}, {"$sort": {"cheep_date": 1, "_id": 1}}, {"$limit": answers}]
    return [
        {"$match": {"_id": cheep_id, **_NOT_DELETED}},
        {"$lookup": {"from": CHEEPS.name, "pipeline": oldest, "as": "answers"}},
    ]


def _as_thread(found: Document) -> Thread:
    answers = msgspec.convert(found.pop("answers"), list[CheepDocument])
    return Thread(cheep=msgspec.convert(found, CheepDocument), answers=answers)
