"""How documents are read: from the primary, what a majority has, one look-up from one moment.

A look-up that waits reads the command's record before the data in one causally consistent session, so the data are
never older than the record, also across an election.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from cheeper_contracts import views
from cheeper_contracts.views import CHECKPOINTS, COMMANDS
from read_api.queries.asking import StoreAwayError

Document = dict[str, Any]
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
    """Reads one database, and knows which commands' effects are in it. All methods raise StoreAwayError."""

    def __init__(self, client: AsyncMongoClient[Document], database: str) -> None:
        self._client = client
        self._views = client.get_database(
            # A look-up over several collections, or of entries and their number, sees them all as of one moment.
            database,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("snapshot"),
        )

    async def ping(self) -> None:
        """Return where a primary shows us documents: a ping alone needs no right to read."""
        with _failures():
            await self._of(CHECKPOINTS).find_one({}, {"_id": 1})

    async def settled(self, message_ids: Collection[str]) -> set[str]:
        """The commands whose effects the documents show."""
        with _failures():
            found = await self._of(COMMANDS).find({"_id": {"$in": list(message_ids)}}, {"_id": 1}).to_list()
        return {record["_id"] for record in found}

    async def one(
        self, collection: views.Collection, matching: Document, *, after: str | None
    ) -> tuple[Document | None, bool]:
        """The document that matches, and whether `after` is settled in it."""
        with _failures():
            async with self._reading(after) as (session, settled):
                return await self._of(collection).find_one(matching, session=session), settled

    async def first(
        self, collection: views.Collection, pipeline: Sequence[Document], *, after: str | None
    ) -> tuple[Document | None, bool]:
        """The first document that a pipeline gives, and whether `after` is settled in it."""
        with _failures():
            async with self._reading(after) as (session, settled):
                cursor = await self._of(collection).aggregate(pipeline, session=session)
                found = await cursor.to_list(1)
        return (found[0] if found else None), settled

    @asynccontextmanager
    async def _reading(self, after: str | None) -> AsyncIterator[tuple[AsyncClientSession | None, bool]]:
        if after is None:
            yield None, True
            return
        async with self._client.start_session(causal_consistency=True) as session:
            record = await self._of(COMMANDS).find_one({"_id": after}, {"_id": 1}, session=session)
            yield session, record is not None

    def _of(self, collection: views.Collection) -> AsyncCollection[Document]:
        return self._views[collection.name]


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        not_now = isinstance(error, OperationFailure) and error.code in _NOT_NOW
        if error.timeout or not_now or isinstance(error, ConnectionFailure):
            raise StoreAwayError("mongo", f"{type(error).__name__}: {error}") from error
        raise
