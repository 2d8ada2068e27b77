"""Cheeps: one with its answers, those of an author, those that answer another."""

from __future__ import annotations

from typing import Final

import msgspec

from cheeper_contracts.views import AUTHORS, CHEEPS, CheepDocument
from read_api.queries.cheep import Thread
from read_api.query_bus.paging import Listed, Part
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.pages import SIGNED_UP, Listing, listed
from read_api.stores.mongo.reader import Reader

_ALIVE: Final = {"author_id": {"$type": "string"}}
_BY_AUTHOR: Final = Listing(collection=CHEEPS, owner="author_id", time="cheep_date", tie="_id")
_ANSWERS: Final = Listing(collection=CHEEPS, owner="in_reply_to", time="cheep_date", tie="_id", newest_first=False)


class MongoCheeps:
    """The view of cheeps."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def thread(self, cheep_id: str, *, answers: int, after: str | None) -> tuple[Thread | None, bool]:
        """As `Cheeps` says."""
        found, settled = await self._reader.first(CHEEPS, _thread_of(cheep_id, answers), after=after)
        return (None if found is None else _as_thread(found)), settled

    async def of_author(self, author_id: str, part: Part, *, after: str | None) -> Listed[CheepDocument]:
        """As `CheepsOfAuthors` says."""
        pipeline = _BY_AUTHOR.part(author_id, SIGNED_UP, part)
        return listed(await self._reader.first(AUTHORS, pipeline, after=after), CheepDocument)

    async def answers(self, cheep_id: str, part: Part, *, after: str | None) -> Listed[CheepDocument]:
        """As `AnswersToCheeps` says."""
        pipeline = _ANSWERS.part(cheep_id, {}, part)  # of a deleted cheep, too
        return listed(await self._reader.first(CHEEPS, pipeline, after=after), CheepDocument)


def _thread_of(cheep_id: str, answers: int) -> list[Document]:
    def of_answers(*stages: Document) -> Document:
        return {"from": CHEEPS.name, "pipeline": [{"$match": {"in_reply_to": cheep_id}}, *stages]}

    oldest = ({"$sort": {"cheep_date": 1, "_id": 1}}, {"$limit": answers})
    return [
        {"$match": {"_id": cheep_id, **_ALIVE}},
        {"$lookup": {"as": "answers", **of_answers(*oldest)}},
        {"$lookup": {"as": "counted", **of_answers({"$count": "answers"})}},
    ]


def _as_thread(found: Document) -> Thread:
    counted = found.pop("counted")
    answers = found.pop("answers")
    return Thread(
        cheep=msgspec.convert(found, CheepDocument),
        answers=msgspec.convert(answers, list[CheepDocument]),
        number_of_answers=counted[0]["answers"] if counted else 0,
    )
