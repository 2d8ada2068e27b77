"""Which generation of the documents is live: each look-up finds that out for itself, in its own snapshot.

Another process may switch at any moment, and a client that was shown the new generation must never be shown the old one
again, by whichever replica. So what a process knows of the live generation is only where it looks first. The look-up
itself reads the generation's mark (`cheeper_contracts.generations`) together with the data, as of one moment; where the
generation was not live at that moment, what was found is dropped and looked up again in the one that was.
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

from cheeper_contracts.generations import FIRST, LIVE, REGISTRY, REGISTRY_ID, database_of
from read_api.query_bus.query import StoreAwayError

Document = dict[str, Any]

_ATTEMPTS: Final = 8
"""Each further one is for a switch, or for a collection or index that was made or went away, during the one before."""
_PAUSE_SECONDS: Final = 0.005
"""Before a moment is tried again that cannot be shown; twice as long each time."""
_NOT_SHOWN: Final = (239, 246)
"""SnapshotTooOld and SnapshotUnavailable: a moment that cannot be shown, such as one before an index was made."""
_MARK: Final = {
    "$unionWith": {
        "coll": REGISTRY,
        "pipeline": [{"$match": {"_id": REGISTRY_ID}}, {"$project": {"_id": 0, LIVE: {"$ifNull": [f"${LIVE}", None]}}}],
    }
}


class LiveGeneration:
    """Looks documents up in the generation that is live."""

    def __init__(self, client: AsyncMongoClient[Document], database: str) -> None:
        self._client = client
        self._database = database
        self._last_known = FIRST

    async def aggregate(self, collection: str, pipeline: Sequence[Document]) -> list[Document]:
        """What a pipeline gives, as of one moment at which the generation was live. No document that it gives may have
        a field `live`. Raises StoreAwayError, and what pymongo raises.
        """
        number = self._last_known
        for attempt in range(_ATTEMPTS):
            try:
                found, mark = _parted(await self._read(number, collection, [*pipeline, _MARK]))
            except OperationFailure as error:  # as where the generation is dropped meanwhile
                if error.timeout:
                    raise
                mark = await self._registered()
                if mark == number:
                    if error.code not in _NOT_SHOWN:
                        raise
                    await asyncio.sleep(_PAUSE_SECONDS * 2**attempt)
            else:
                if mark is None:
                    # Not marked: of the first that is so where there is no other. The registry, asked after the data
                    # were read, names what was still there then.
                    mark = FIRST if number == FIRST else await self._registered()
                if mark == number:
                    self._last_known = number
                    return found
            number = mark
        raise StoreAwayError("mongo", "the live generation, or its collections, changed with each attempt")

    async def _read(self, number: int, collection: str, pipeline: list[Document]) -> list[Document]:
        # Snapshot: a look-up over several collections, or of entries and their number, sees them all as of one moment,
        # which a majority has.
        cursor = await self._of(number, collection, "snapshot").aggregate(pipeline)
        return await cursor.to_list()

    async def _registered(self) -> int:
        registry = await self._of(FIRST, REGISTRY, "majority").find_one({"_id": REGISTRY_ID}, {LIVE: 1})
        return int((registry or {}).get(LIVE, FIRST))

    def _of(self, number: int, collection: str, concern: str) -> AsyncCollection[Document]:
        database = self._client.get_database(
            database_of(self._database, number),
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern(concern),
        )
        return database[collection]


def _parted(documents: list[Document]) -> tuple[list[Document], int | None]:
    """What was looked up, and what the mark behind it says is live."""
    if documents and LIVE in documents[-1]:
        return documents[:-1], documents[-1][LIVE]
    return documents, None
