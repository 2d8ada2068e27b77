"""What a batch does to the documents, in as few operations as keep the order within each document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pymongo import DeleteOne, ReplaceOne, UpdateOne

from projector.writes import Delete, Increment, MongoWrite, Replace, SetFields, SetUnion

Document = dict[str, Any]
Operation = UpdateOne | ReplaceOne[Document] | DeleteOne


def operations(writes: Iterable[MongoWrite]) -> dict[str, list[Operation]]:
    """Collection -> the operations for one bulk write, to be done in this order. Deletions come last, so that the
    driver sends two commands at most: a document that is deleted has no other operation.
    """
    changes: dict[str, dict[str, _Change]] = {}
    for write in writes:
        changes.setdefault(write.collection, {}).setdefault(write.identifier, _Change(write.identifier)).add(write)
    return {
        collection: sorted(
            (operation for change in documents.values() for operation in change.operations()),
            key=lambda operation: isinstance(operation, DeleteOne),
        )
        for collection, documents in changes.items()
    }


class _Change:
    """What is done to one document.

    Until the batch replaces or deletes it, `_updates` go to what the store has. From then on the batch alone says what
    it is: `_whole`, none while it is deleted.
    """

    def __init__(self, identifier: str) -> None:
        self._identifier = identifier
        self._updates: list[Document | list[Document]] = []
        self._known = False
        self._whole: Document | None = None

    def add(self, write: MongoWrite) -> None:
        """The write after those before it."""
        if isinstance(write, Replace | Delete):
            self._known, self._updates = True, []
            self._whole = dict(write.fields) if isinstance(write, Replace) else None
        elif self._known:
            self._whole = _with(self._whole or {}, write)
        elif isinstance(write, SetUnion):
            union = {"$setUnion": [{"$ifNull": [f"${write.other}", []]}, {"$literal": write.values}]}
            self._updates.append([{"$set": {write.field: union}}])
        else:
            if not self._updates or isinstance(self._updates[-1], list):
                self._updates.append({})
            _fold(self._updates[-1], write)

    def operations(self) -> list[Operation]:
        """For the store, in this order."""
        this = {"_id": self._identifier}
        if not self._known:
            return [UpdateOne(this, update, upsert=True) for update in self._updates]
        return [DeleteOne(this) if self._whole is None else ReplaceOne(this, self._whole, upsert=True)]


def _fold(update: Any, write: SetFields | Increment) -> None:
    """Takes the write into an update, which cannot both set a field and add to it."""
    sets, increments = update.setdefault("$set", {}), update.setdefault("$inc", {})
    if isinstance(write, SetFields):
        sets.update(write.fields)
        for field in write.fields:
            increments.pop(field, None)
    else:
        for field, by in write.counts.items():
            if field in sets:
                sets[field] += by
            else:
                increments[field] = increments.get(field, 0) + by


def _with(whole: Document, write: SetFields | Increment | SetUnion) -> Document:
    """The document after the write."""
    if isinstance(write, SetFields):
        return whole | write.fields
    if isinstance(write, SetUnion):
        return whole | {write.field: sorted({*whole.get(write.other, ()), *write.values})}
    return whole | {field: whole.get(field, 0) + by for field, by in write.counts.items()}
