"""The documents in MongoDB: authors and cheeps, each by its id, from the primary.

What is read is committed by a majority. A look-up that waits reads the command's record before the data in one causally
consistent session, so the data are never older than the record, also across an election.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import msgspec
from pymongo import AsyncMongoClient
from pymongo.errors import ConnectionFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from cheeper_contracts.views import AUTHORS, CHEEPS, COMMANDS, AuthorDocument, CheepDocument
from read_api.queries.asking import StoreAwayError
from read_api.queries.cheep import Thread

Document = dict[str, Any]
PATIENCE_MS: Final = 2_000


def connect(url: str) -> AsyncMongoClient[Document]:
    """A client that answers or gives up within seconds."""
    return AsyncMongoClient(
        url,
        appname="read-api",
        timeoutMS=PATIENCE_MS,
        serverSelectionTimeoutMS=PATIENCE_MS,
        connectTimeoutMS=PATIENCE_MS,
    )


class MongoViews:
    """Authors and cheeps, and which commands' effects are in them."""

    def __init__(self, client: AsyncMongoClient[Document], database: str) -> None:
        self._client = client
        views = client.get_database(
            database, read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("majority")
        )
        self._authors = views[AUTHORS.name]
        self._cheeps = views[CHEEPS.name]
        self._commands = views[COMMANDS.name]
        self._admin = client.admin

    async def ping(self) -> None:
        """Raises StoreAwayError where no primary answers."""
        with _failures():
            await self._admin.command("ping", read_preference=ReadPreference.PRIMARY)

    async def author(self, author_id: str, *, after: str | None) -> tuple[AuthorDocument | None, bool]:
        """As `Authors` says."""
        with _failures():
            async with self._reading(after) as (session, settled):
                found = await self._authors.find_one({"_id": author_id}, session=session)
        return (None if found is None else msgspec.convert(found, AuthorDocument)), settled

    async def thread(self, cheep_id: str, *, answers: int, after: str | None) -> tuple[Thread | None, bool]:
        """As `Cheeps` says."""
        with _failures():
            async with self._reading(after) as (session, settled):
                cursor = await self._cheeps.aggregate(_thread_of(cheep_id, answers), session=session)
                found = await cursor.to_list(1)
        return (_as_thread(found[0]) if found else None), settled

    async def settled(self, message_ids: Collection[str]) -> set[str]:
        """The commands whose effects the documents show."""
        with _failures():
            found = await self._commands.find({"_id": {"$in": list(message_ids)}}, {"_id": 1}).to_list()
        return {record["_id"] for record in found}

    @asynccontextmanager
    async def _reading(self, after: str | None) -> Any:
        if after is None:
            yield None, True
            return
        async with self._client.start_session(causal_consistency=True) as session:
            record = await self._commands.find_one({"_id": after}, {"_id": 1}, session=session)
            yield session, record is not None


def _thread_of(cheep_id: str, answers: int) -> list[Document]:
    def of_answers(*stages: Document) -> Document:
        return {
            "from": CHEEPS.name,
            "localField": "_id",
            "foreignField": "in_reply_to",
            "pipeline": list(stages),
        }

    oldest = ({"$sort": {"cheep_date": 1, "_id": 1}}, {"$limit": answers})
    return [
        {"$match": {"_id": cheep_id, "author_id": {"$type": "string"}}},
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


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        if error.timeout or isinstance(error, ConnectionFailure):
            raise StoreAwayError("mongo", f"{type(error).__name__}: {error}") from error
        raise
