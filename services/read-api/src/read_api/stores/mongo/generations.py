"""Finds the live generation of the documents: each look-up does so for itself, in its own snapshot.

Another process may switch at any moment, and a client that was shown the new generation must never be shown the old one
again, by any replica. So the live generation that a process remembers is only the one that it tries first. The look-up
reads the generation's mark (`cheeper_contracts.views.generations`) together with the data, at the same moment. If
another generation was live at that moment, the result is dropped and the look-up is repeated in that one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from cheeper_contracts.views.generations import FIRST, LIVE, REGISTRY, REGISTRY_ID, database_of
from read_api.query_bus.query import StoreUnavailableError

Document = dict[str, Any]

_ATTEMPTS: Final = 8
"""An attempt fails if the generation was switched, or a collection or index was made or dropped, meanwhile."""
_PAUSE_SECONDS: Final = 0.005
"""The first pause after an unavailable snapshot. Each further pause is twice as long as the one before."""
_NO_SNAPSHOT: Final = (239, 246)
"""SnapshotTooOld and SnapshotUnavailable, as for a moment before an index was made."""
_MARK: Final = {
    "$unionWith": {
        "coll": REGISTRY,
        "pipeline": [{"$match": {"_id": REGISTRY_ID}}, {"$project": {"_id": 0, LIVE: {"$ifNull": [f"${LIVE}", None]}}}],
    }
}


class LiveGeneration:
    """Reads documents of the live generation. The server ends a pipeline after `max_time_ms`, if that is given."""

    def __init__(self, client: AsyncMongoClient[Document], database: str, max_time_ms: int | None = None) -> None:
        self._client = client
        self._database = database
        self._limit: dict[str, Any] = {} if max_time_ms is None else {"maxTimeMS": max_time_ms}
        self._last_known = FIRST

    async def aggregate(self, collection: str, pipeline: Sequence[Document]) -> list[Document]:
        """Return the documents of a pipeline, at one moment at which the generation was live. They may not have a field
        `live`. Raise StoreUnavailableError, and the errors of pymongo.
        """
        number = self._last_known
        for attempt in range(_ATTEMPTS):
            try:
                found, mark = _split(await self._read(number, collection, [*pipeline, _MARK]))
            except OperationFailure as error:  # for example because the generation was dropped meanwhile
                if error.timeout:
                    raise
                mark = await self._read_registry()
                if mark == number:
                    if error.code not in _NO_SNAPSHOT:
                        raise
                    await asyncio.sleep(_PAUSE_SECONDS * 2**attempt)
            else:
                if mark is None:
                    # The first generation has no mark if it is the only one. The registry, which is read after the
                    # data, names a generation that still existed then.
                    mark = FIRST if number == FIRST else await self._read_registry()
                if mark == number:
                    self._last_known = number
                    return found
            number = mark
        raise StoreUnavailableError("mongo", "the live generation, or its collections, changed with each attempt")

    async def _read(self, number: int, collection: str, pipeline: list[Document]) -> list[Document]:
        # A snapshot shows all collections, and entries and their number, at one moment that a majority has.
        cursor = await self._of(number, collection, "snapshot").aggregate(pipeline, **self._limit)
        return await cursor.to_list()

    async def _read_registry(self) -> int:
        registry = await self._of(FIRST, REGISTRY, "majority").find_one({"_id": REGISTRY_ID}, {LIVE: 1})
        return int((registry or {}).get(LIVE, FIRST))

    def _of(self, number: int, collection: str, concern: str) -> AsyncCollection[Document]:
        database = self._client.get_database(
            database_of(self._database, number),
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern(concern),
        )
        return database[collection]


def _split(documents: list[Document]) -> tuple[list[Document], int | None]:
    """Return the documents, and the live generation of the mark behind them, if there is one."""
    if documents and LIVE in documents[-1]:
        return documents[:-1], documents[-1][LIVE]
    return documents, None
