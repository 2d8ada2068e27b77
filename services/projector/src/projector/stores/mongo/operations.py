"""What a batch does to the documents, in as few operations as keep the order within each document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pymongo import DeleteOne, ReplaceOne, UpdateOne

from projector.writes import Delete, Increment, MongoWrite, Replace, SetFields

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
            (change.operation() for change in documents.values()),
            key=lambda operation: isinstance(operation, DeleteOne),
        )
        for collection, documents in changes.items()
    }


class _Change:
    """What is done to one document.

    Until the batch replaces or deletes it, `_update` is done to what the store has. From then on the batch alone says
    what it is: `_whole`, none while it is deleted.
    """

    def __init__(self, identifier: str) -> None:
        self._identifier = identifier
        self._update: Document = {}
        self._known = False
        self._whole: Document | None = None

    def add(self, write: MongoWrite) -> None:
        """The write after those before it."""
        if isinstance(write, Replace | Delete):
            self._known, self._update = True, {}
            self._whole = dict(write.fields) if isinstance(write, Replace) else None
        elif self._known:
            self._whole = _with(self._whole or {}, write)
        else:
            _fold(self._update, write)

    def operation(self) -> Operation:
        """For the store."""
        this = {"_id": self._identifier}
        if not self._known:
            return UpdateOne(this, self._update, upsert=True)
        return DeleteOne(this) if self._whole is None else ReplaceOne(this, self._whole, upsert=True)


def _fold(update: Document, write: SetFields | Increment) -> None:
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


def _with(whole: Document, write: SetFields | Increment) -> Document:
    """The document after the write."""
    if isinstance(write, SetFields):
        return whole | write.fields
    return whole | {field: whole.get(field, 0) + by for field, by in write.counts.items()}
