"""Two generations of the MongoDB views beside each other, document by document."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bson import encode
from pymongo import MongoClient

from cheeper_contracts import views
from cheeper_contracts.generations import database_of
from projector.generations.diff import Pair, Place
from projector.stores.mongo.faults import passing_faults
from projector.stores.mongo.operations import Document

_AT_ONCE: Final = 500
_LEAST_LEFT: Final = timedelta(minutes=5)
"""That a record must have left to live: MongoDB removes what has expired when it comes to it."""
_NOT_COMPARED: Final = {
    # Where the log has a message, and why it is parked, may be told differently by another version.
    views.PARKED_MESSAGES.name: {"why", "behind", "topic_id", "offset", "stack_digest"},
}


class MongoSides:
    """Checkpoints are left out: no reader sees them."""

    names = tuple(collection.name for collection in views.COLLECTIONS if collection is not views.CHECKPOINTS)

    def __init__(self, client: MongoClient[Document], database: str, live: int, other: int) -> None:
        self._client = client
        self._databases = tuple(client[database_of(database, number)] for number in (live, other))

    def pages(self, view: str) -> Iterator[Sequence[str]]:
        """The ids of a view that the live generation has."""
        return self._pages(0, view)

    def surplus(self, view: str) -> Iterator[Sequence[str]]:
        """The ids that the other one has and the live one has not."""
        for ids in self._pages(1, view):
            there = self._documents(0, view, ids)
            if lacking := [name for name in ids if name not in there]:
                yield lacking

    def look(self, view: str, ids: Sequence[str]) -> Mapping[str, Pair]:
        """The views of these ids as they are now."""
        live, other = (self._documents(side, view, ids) for side in (0, 1))
        return {name: _pair(view, live.get(name), other.get(name)) for name in ids}

    def places(self) -> tuple[Place, Place]:
        """How far the live one and the other are."""
        with passing_faults():
            live, other = (
                {document["_id"]: document["sequence"] for document in database[views.CHECKPOINTS.name].find()}
                for database in self._databases
            )
        return Place(live, busy=False), Place(other, busy=False)

    def close(self) -> None:
        """Gives its connections back."""
        self._client.close()

    def _pages(self, side: int, view: str) -> Iterator[Sequence[str]]:
        after: dict[str, Any] = {}
        while True:
            with passing_faults():
                found = self._databases[side][view].find(after, {"_id": 1}).sort("_id", 1).limit(_AT_ONCE)
                ids = [document["_id"] for document in found]
            if not ids:
                return
            yield ids
            after = {"_id": {"$gt": ids[-1]}}

    def _documents(self, side: int, view: str, ids: Sequence[str]) -> dict[str, Document]:
        with passing_faults():
            return {each["_id"]: each for each in self._databases[side][view].find({"_id": {"$in": list(ids)}})}


def _pair(view: str, live: Document | None, other: Document | None) -> Pair:
    return Pair(_digest(live), _digest(other), _parts(view, live, other))


def _parts(view: str, live: Document | None, other: Document | None) -> tuple[str, ...]:
    if live is None or other is None:
        there = live or other
        return () if there is None or _expires(there) else ("(missing)" if other is None else "(surplus)",)
    left_out = _NOT_COMPARED.get(view, set())
    fields = sorted((live.keys() | other.keys()) - left_out)
    return tuple(field for field in fields if (field in live, live.get(field)) != (field in other, other.get(field)))


def _expires(document: Document) -> bool:
    at = document.get("expires_at")
    return isinstance(at, datetime) and at.replace(tzinfo=UTC) < datetime.now(UTC) + _LEAST_LEFT


def _digest(document: Document | None) -> bytes:
    return b"" if document is None else hashlib.sha256(encode(dict(sorted(document.items())))).digest()
