"""Reads documents from the primary, as a majority has them, from one moment and in one round trip.

A look-up with `after` reads the command's record at the same moment as the data, so the data are never older than the
record, also across an election or a switch of generations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from cheeper_contracts import views
from cheeper_contracts.views import CHECKPOINTS, COMMANDS
from cheeper_runtime.readiness.checks import CHECK_SECONDS
from read_api.query_bus.query import Result, StoreUnavailableError, TooCostlyError
from read_api.stores.mongo.generations import Document, LiveGeneration

TIMEOUT_MS: Final = 2_000
_PING_SECONDS: Final = 0.75 * CHECK_SECONDS  # so that the server's refusal is known before the check is late
_EXCEEDED_TIME: Final = 50  # MaxTimeMSExpired
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


def connect_for_searches(url: str, connections: int) -> AsyncMongoClient[Document]:
    """Return a client with at most so many connections of its own, so that searches take none of other queries.

    It has no timeoutMS, which would overrule the time that the server may take for an operation.
    """
    return AsyncMongoClient(
        url,
        appname="read-api searches",
        socketTimeoutMS=TIMEOUT_MS,
        waitQueueTimeoutMS=TIMEOUT_MS,
        serverSelectionTimeoutMS=TIMEOUT_MS,
        connectTimeoutMS=TIMEOUT_MS,
        maxPoolSize=connections,
    )


class Reader:
    """Reads the live generation, and the commands that are settled in it.

    All methods raise StoreUnavailableError, and TooCostlyError if the server ended the look-up after `max_time_ms`.
    """

    def __init__(self, client: AsyncMongoClient[Document], database: str, max_time_ms: int | None = None) -> None:
        self._live = LiveGeneration(client, database, max_time_ms)
        self._limited = max_time_ms is not None

    def deadline(self) -> AbstractContextManager[None]:
        """Return a context whose look-ups take TIMEOUT_MS together, for a page that may take several."""
        return pymongo.timeout(TIMEOUT_MS / 1_000)

    async def ping(self) -> None:
        """Read a document from the primary. A `ping` would need no right to read, and so prove less."""
        with self._failures(), pymongo.timeout(_PING_SECONDS):
            await self._live.aggregate(CHECKPOINTS.name, [{"$limit": 1}, {"$project": {"_id": 1}}])

    async def settled(self, message_ids: Collection[str]) -> set[str]:
        """Return those of the commands whose effects the documents show."""
        with self._failures():
            found = await self._live.aggregate(COMMANDS.name, _records(message_ids))
        return {each["settled"] for each in found}

    async def sequences(self) -> dict[int, int]:
        """Return the sequence of the last message that the documents show, by partition."""
        with self._failures():
            found = await self._live.aggregate(CHECKPOINTS.name, [{"$project": {"sequence": 1}}])
        return {each["_id"]: int(each["sequence"]) for each in found}

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
        with self._failures():
            # A client without timeoutMS gives each attempt its own time.
            async with asyncio.timeout(TIMEOUT_MS / 1_000 if self._limited else None):
                documents = await self._live.aggregate(collection.name, stages)
        return Result(
            data=next((each["found"] for each in documents if "found" in each), None),
            settled=after is None or any("settled" in each for each in documents),
        )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except PyMongoError as error:
            code = error.code if isinstance(error, OperationFailure) else None
            if code == _EXCEEDED_TIME and self._limited:
                raise TooCostlyError from error
            if error.timeout or code in _UNAVAILABLE or isinstance(error, ConnectionFailure):
                raise StoreUnavailableError("mongo", f"{type(error).__name__}: {error}") from error
            raise
        except TimeoutError as error:
            raise StoreUnavailableError("mongo", "no response in time") from error


def _records(message_ids: Collection[str]) -> list[Document]:
    """Return a pipeline on the commands that gives the ids of those that have a record."""
    return [{"$match": {"_id": {"$in": list(message_ids)}}}, {"$project": {"_id": 0, "settled": "$_id"}}]
