"""A store in memory that keeps the rules of a real one: the suite in store_suite.py runs against both."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import msgspec

from cheeper_contracts.partitions import PARTITIONS
from projector.projections.writes import Delete, Increment, SetFields, UnsetFields
from projector.stores.base import (
    Applied,
    Backlog,
    Batch,
    Checkpoint,
    GapError,
    Item,
    Outcome,
    Status,
    StoreUnavailableError,
    UnappliableError,
)


class FakeStore:
    """Documents, checkpoints and parked messages. It takes MongoDB's writes.

    While `unavailable` is set, every call fails. One call applies at most `most_batches`, and of each one at most
    `largest_batch` messages. With `names_bad` cleared it does not report which message of a batch cannot be applied.
    `calls` are the sizes of the batches of each call.
    """

    name = "mongo"
    tasks = None

    def __init__(self):
        self.unavailable = False
        self.largest_batch = self.most_batches = None
        self.names_bad = True
        self.closed = False
        self.calls = []
        self.documents = {}
        self.parked = {}
        self._checkpoints = {}

    def prepare(self):
        self._reach()

    def checkpoints(self, partitions):
        self._reach()
        return {partition: self._checkpoints.get(partition, Checkpoint()) for partition in partitions}

    def apply(self, batches: Sequence[Batch]) -> list[Outcome]:
        self._reach()
        self.calls.append([len(batch.items) for batch in batches])
        return [self._outcome(batch) for batch in batches[: self.most_batches]]

    def _outcome(self, batch: Batch) -> Outcome:
        try:
            return self._apply(batch)
        except (GapError, UnappliableError) as error:
            return error

    def _apply(self, batch: Batch) -> Applied:
        stored = self._checkpoints.get(batch.partition, Checkpoint())
        items = batch.items[: self.largest_batch]
        fresh = _fresh(items, batch, stored)
        documents, parked, keys = deepcopy(self.documents), dict(self.parked), {one.key for one in self.parked.values()}
        checkpoint = stored
        for index, item in enumerate(items):
            if item not in fresh:
                continue
            poison = checkpoint.poison
            if item.poison or item.key in keys:
                keys.add(item.key)
                message = item.parked(batch.topic_id)
                parked[message.id] = message
                poison += bool(item.poison)
            else:
                self._write(item, index, documents)
                poison = 0
            checkpoint = Checkpoint(
                sequence=item.sequence or checkpoint.sequence,
                topic_id=batch.topic_id,
                offset=item.offset,
                poison=poison,
            )
        if not fresh and stored.topic_id != batch.topic_id:
            for item in items:
                if item.sequence == stored.sequence:
                    checkpoint = msgspec.structs.replace(stored, topic_id=batch.topic_id, offset=item.offset)
        self.documents, self.parked = documents, parked
        if checkpoint != stored:
            self._checkpoints[batch.partition] = checkpoint
        places = [item.parked(batch.topic_id).id for item in items]
        return Applied(
            used=len(items), checkpoint=checkpoint, parked=tuple(parked[place] for place in places if place in parked)
        )

    def status(self):
        self._reach()
        return Status(checkpoints=self.checkpoints(range(PARTITIONS)), tasks=0, parked=len(self.parked))

    def backlog(self):
        self._reach()
        return Backlog(tasks=0, parked=len(self.parked))

    def close(self):
        self.closed = True

    def restore(self):
        """Put the store back to its beginning, as a backup may do."""
        self.documents, self.parked, self._checkpoints = {}, {}, {}

    def _reach(self):
        if self.unavailable:
            raise StoreUnavailableError("does not answer")

    def _write(self, item: Item, index, documents):
        for write in item.writes:
            document = documents.setdefault((write.collection, write.identifier), {})
            match write:
                case SetFields(fields=fields):
                    document |= fields
                case Increment(counts=counts):
                    if any("." in name for name in counts):
                        raise UnappliableError(index if self.names_bad else None, "a part of a number")
                    for name, count in counts.items():
                        document[name] = document.get(name, 0) + count
                case UnsetFields(fields=fields):
                    for name in fields:
                        document.pop(name, None)
                case Delete():
                    del documents[write.collection, write.identifier]


def _fresh(items, batch, stored):
    fresh, last = [], stored.sequence
    for item in items:
        if item.sequence is None:
            if stored.topic_id != batch.topic_id or item.offset > stored.offset:
                fresh.append(item)
        elif item.sequence > last + 1:
            raise GapError(f"partition {batch.partition} is at sequence {stored.sequence}")
        elif item.sequence == last + 1:
            fresh.append(item)
            last = item.sequence
    return fresh
