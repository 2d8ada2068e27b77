"""Reads documents from the primary, as a majority has them, from one moment and in one round trip.

A look-up with `after` reads the command's record at the same moment as the data, so the data are never older than the
record, also across an election or a switch of generations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from pymongo import AsyncMongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from cheeper_contracts import views
from cheeper_contracts.views import CHECKPOINTS, COMMANDS
from read_api.query_bus.query import Result, StoreUnavailableError
from read_api.stores.mongo.generations import Document, LiveGeneration

TIMEOUT_MS: Final = 2_000
_UNAVAILABLE: Final = frozenset(
    {
        239,  # SnapshotTooOld
        246,  # SnapshotUnavailable: a moment that cannot be read, such as one before an index was made
        13,  # Unauthorized
        18,  # AuthenticationFailed
        91,  # ShutdownInProgress
        11601,  # Interrupted, as by killOp
        14031,  # OutOfDiskSpace, which a large sort may encounter
        8000,  # a hosted server's own code, such as for an exhausted quota
    }
)
"""Codes of a server that responds but does not serve. A missing primary and the like have their own error classes."""


def connect(url: str, connections: int = 100) -> AsyncMongoClient[Document]:
    """Return a client with at most so many connections, whose operations fail after TIMEOUT_MS."""
    return AsyncMongoClient(
        url,
        appname="read-api",
        timeoutMS=TIMEOUT_MS,
        serverSelectionTimeoutMS=TIMEOUT_MS,
        connectTimeoutMS=TIMEOUT_MS,
        maxPoolSize=connections,
    )


class Reader:
    """Reads the live generation, and the commands that are settled in it. All methods raise StoreUnavailableError."""

    def __init__(self, client: AsyncMongoClient[Document], database: str) -> None:
        self._live = LiveGeneration(client, database)

    async def ping(self) -> None:
        """Read a document from the primary. A `ping` would need no right to read, and so prove less."""
        with _failures():
            await self._live.aggregate(CHECKPOINTS.name, [{"$limit": 1}, {"$project": {"_id": 1}}])

    async def settled(self, message_ids: Collection[str]) -> set[str]:
        """Return those of the commands whose effects the documents show."""
        with _failures():
            found = await self._live.aggregate(COMMANDS.name, _records(message_ids))
        return {each["settled"] for each in found}

    async def one(self, collection: views.Collection, matching: Document, *, after: str | None) -> Result[Document]:
        """Return the document that matches."""
        return await self.first(collection, [{"$match": matching}], after=after)

    async def first(
        self, collection: views.Collection, pipeline: Sequence[Document], *, after: str | None
    ) -> Result[Document]:
        """Return the first document that a pipeline gives."""
        stages: list[Document] = [*pipeline, {"$limit": 1}, {"$replaceWith": {"found": "$$ROOT"}}]
        if after is not None:
            stages.append({"$unionWith": {"coll": COMMANDS.name, "pipeline": _records([after])}})
        with _failures():
            documents = await self._live.aggregate(collection.name, stages)
        return Result(
            data=next((each["found"] for each in documents if "found" in each), None),
            settled=after is None or any("settled" in each for each in documents),
        )


def _records(message_ids: Collection[str]) -> list[Document]:
    """Return a pipeline on the commands that gives the ids of those that have a record."""
    return [{"$match": {"_id": {"$in": list(message_ids)}}}, {"$project": {"_id": 0, "settled": "$_id"}}]


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        refused = isinstance(error, OperationFailure) and error.code in _UNAVAILABLE
        if error.timeout or refused or isinstance(error, ConnectionFailure):
            raise StoreUnavailableError("mongo", f"{type(error).__name__}: {error}") from error
        raise
