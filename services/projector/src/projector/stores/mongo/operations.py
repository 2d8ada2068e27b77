"""The operations of a batch on documents, as few as keep the order within each document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

from projector.projections.writes import Delete, Increment, MongoWrite, SetFields, UnsetFields

Document = dict[str, Any]
Operation = InsertOne[Document] | UpdateOne | ReplaceOne[Document] | DeleteOne

Absent = Callable[[str, Sequence[str]], AbstractSet[str]]
"""Returns those of the ids that are known not to be in the collection."""


def _nothing_known(_collection: str, _ids: Sequence[str]) -> AbstractSet[str]:
    return frozenset()


def operations(writes: Iterable[MongoWrite], absent: Absent = _nothing_known) -> dict[str, list[Operation]]:
    """Return the operations of one bulk write for each collection: insertions, then changes, then deletions.

    Each document has one operation, so the driver sends three commands at most. A document that is known to be absent
    is inserted, which costs the server half as much as an upsert.
    """
    changes: dict[str, dict[str, _Change]] = {}
    for write in writes:
        documents = changes.get(write.collection)
        if documents is None:
            documents = changes[write.collection] = {}
        change = documents.get(write.identifier)
        if change is None:
            change = documents[write.identifier] = _Change()
        change.add(write)
    return {collection: _ordered(collection, documents, absent) for collection, documents in changes.items()}


def _ordered(collection: str, documents: dict[str, _Change], absent: Absent) -> list[Operation]:
    new = absent(collection, [identifier for identifier, change in documents.items() if not change.known])
    inserted: list[Operation] = []
    changed: list[Operation] = []
    deleted: list[Operation] = []
    for identifier, change in documents.items():
        if identifier in new:
            inserted.append(InsertOne({"_id": identifier} | change.sets | change.increments))
        elif not change.known:
            changed.append(UpdateOne({"_id": identifier}, change.update(), upsert=True))
        elif change.whole is None:
            deleted.append(DeleteOne({"_id": identifier}))
        else:
            changed.append(ReplaceOne({"_id": identifier}, change.whole, upsert=True))
    return inserted + changed + deleted


class _Change:
    """The changes of one document.

    Until the batch deletes the document, fields are set, unset or incremented in what the store has. From then on it is
    `known`: the batch alone determines `whole`, which is None while the document is deleted.
    """

    __slots__ = ("increments", "known", "sets", "unsets", "whole")

    def __init__(self) -> None:
        self.sets: Document = {}
        self.unsets: dict[str, str] = {}
        self.increments: dict[str, int] = {}
        self.known = False
        self.whole: Document | None = None

    def add(self, write: MongoWrite) -> None:
        """Add the next write."""
        if isinstance(write, Delete):
            self.known, self.whole = True, None
        elif self.known:
            self.whole = _with(self.whole or {}, write)
        elif isinstance(write, SetFields):
            self._set(write.fields)
        elif isinstance(write, UnsetFields):
            self._unset(write.fields)
        else:
            self._count(write.counts)

    def update(self) -> Document:
        """Return the update of a document that may be there."""
        update: Document = {"$set": self.sets, "$inc": self.increments}
        return update | {"$unset": self.unsets} if self.unsets else update

    def _set(self, fields: Document) -> None:
        self.sets |= fields
        self._forget(fields, self.increments, self.unsets)

    def _unset(self, fields: tuple[str, ...]) -> None:
        self.unsets |= dict.fromkeys(fields, "")
        self._forget(fields, self.increments, self.sets)

    def _count(self, counts: dict[str, int]) -> None:
        for field, by in counts.items():
            if field in self.sets:
                self.sets[field] += by
            elif self.unsets.pop(field, None) is not None:
                self.sets[field] = by
            else:
                self.increments[field] = self.increments.get(field, 0) + by

    @staticmethod
    def _forget(fields: Iterable[str], *changes: Document) -> None:
        """Drop earlier changes of the fields: an update cannot change a field in two ways."""
        for changed in changes:
            if changed:
                for field in fields:
                    changed.pop(field, None)


def _with(whole: Document, write: SetFields | UnsetFields | Increment) -> Document:
    """Return the document after the write."""
    if isinstance(write, SetFields):
        return whole | write.fields
    if isinstance(write, UnsetFields):
        return {field: value for field, value in whole.items() if field not in write.fields}
    return whole | {field: whole.get(field, 0) + by for field, by in write.counts.items()}
