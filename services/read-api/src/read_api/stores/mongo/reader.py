"""How documents are read: from the primary, what a majority has, one look-up from one moment and in one round trip.

A look-up that waits reads the command's record as of the same moment as the data, so the data are never older than the
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
from read_api.query_bus.query import StoreAwayError
from read_api.stores.mongo.generations import Document, LiveGeneration

PATIENCE_MS: Final = 2_000
_NOT_NOW: Final = frozenset(
    {
        239,  # SnapshotTooOld
        246,  # SnapshotUnavailable: a moment that cannot be shown, such as one before an index was made
        13,  # Unauthorized
        18,  # AuthenticationFailed
        91,  # ShutdownInProgress
        11601,  # Interrupted, as by killOp
        14031,  # OutOfDiskSpace, which a large sort may meet
        8000,  # a hosted server's own, such as a quota that is used up
    }
)
"""Codes of a server that is there but cannot or will not serve; no primary and the like have a class of their own."""


def connect(url: str) -> AsyncMongoClient[Document]:
    """A client that answers or gives up within seconds."""
    return AsyncMongoClient(
        url,
        appname="read-api",
        timeoutMS=PATIENCE_MS,
        serverSelectionTimeoutMS=PATIENCE_MS,
        connectTimeoutMS=PATIENCE_MS,
    )


class Reader:
    """Reads the live generation, and knows which commands' effects are in it. All methods raise StoreAwayError."""

    def __init__(self, client: AsyncMongoClient[Document], database: str) -> None:
        self._client = client
        self._live = LiveGeneration(client, database)

    async def ping(self) -> None:
        """Return where a primary shows us documents: a ping alone needs no right to read."""
        with _failures():
            await self._live.aggregate(CHECKPOINTS.name, [{"$limit": 1}, {"$project": {"_id": 1}}])

    async def settled(self, message_ids: Collection[str]) -> set[str]:
        """The commands whose effects the documents show."""
        with _failures():
            found = await self._live.aggregate(COMMANDS.name, _records(message_ids))
        return {each["settled"] for each in found}

    async def one(
        self, collection: views.Collection, matching: Document, *, after: str | None
    ) -> tuple[Document | None, bool]:
        """The document that matches, and whether `after` is settled in it."""
        return await self.first(collection, [{"$match": matching}], after=after)

    async def first(
        self, collection: views.Collection, pipeline: Sequence[Document], *, after: str | None
    ) -> tuple[Document | None, bool]:
        """The first document that a pipeline gives, and whether `after` is settled in it."""
        stages: list[Document] = [*pipeline, {"$limit": 1}, {"$replaceWith": {"found": "$$ROOT"}}]
        if after is not None:
            stages.append({"$unionWith": {"coll": COMMANDS.name, "pipeline": _records([after])}})
        with _failures():
            documents = await self._live.aggregate(collection.name, stages)
        found = next((each["found"] for each in documents if "found" in each), None)
        return found, after is None or any("settled" in each for each in documents)


def _records(message_ids: Collection[str]) -> list[Document]:
    """A pipeline on the commands that gives each of these that has a record."""
    return [{"$match": {"_id": {"$in": list(message_ids)}}}, {"$project": {"_id": 0, "settled": "$_id"}}]


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        not_now = isinstance(error, OperationFailure) and error.code in _NOT_NOW
        if error.timeout or not_now or isinstance(error, ConnectionFailure):
            raise StoreAwayError("mongo", f"{type(error).__name__}: {error}") from error
        raise
