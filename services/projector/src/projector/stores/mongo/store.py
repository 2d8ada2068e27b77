"""The documents in MongoDB: a batch of one partition is one transaction, checkpoint included.

The transaction reads the checkpoint and writes it, so of two projectors with the same batch one meets a write conflict,
retries, and finds duplicates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import CollectionInvalid
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.generations import FIRST, database_of
from projector.messages.parked import ParkedMessage
from projector.projections.writes import MongoWrite
from projector.stores.base import Applied, Backlog, Batch, Checkpoint, GapError, Item, Status
from projector.stores.mongo.faults import passing_faults
from projector.stores.mongo.generations import read_registry
from projector.stores.mongo.operations import Document, operations
from projector.stores.registry import ForgottenError

READ_FROM: Final = 16
"""The number of documents of a collection from which on a batch reads which are there: for fewer, the read takes longer
than it saves.
"""
PARKED_BY_KEY: Final = [("partition", 1), ("key", 1), ("sequence", 1)]


class MongoStore:
    """The views in MongoDB, which must be a replica set, of one at least. Not for several threads at once."""

    name = "mongo"
    tasks = None

    def __init__(self, client: MongoClient[Document], database: str, generation: int = FIRST) -> None:
        self._client = client
        self._generation = generation
        self._first, self._database = (
            client.get_database(name, write_concern=WriteConcern("majority"), read_concern=ReadConcern("majority"))
            for name in (database, database_of(database, generation))
        )

    def prepare(self) -> None:
        """Make the collections and their indexes. Raise ForgottenError, and leave nothing behind."""
        with passing_faults():
            self._check_generation(None)
            there = set(self._database.list_collection_names())
            for collection in views.COLLECTIONS:
                self._make(collection, there)
            self._of(views.COMMANDS).create_index("expires_at", expireAfterSeconds=0)
            self._of(views.PARKED_MESSAGES).create_index(PARKED_BY_KEY)
            try:
                self._check_generation(None)  # again: this is no transaction
            except ForgottenError:
                self._drop()
                raise

    def checkpoints(self, partitions: Sequence[int]) -> dict[int, Checkpoint]:
        """Return the checkpoints of these partitions."""
        with passing_faults():
            found = {document["_id"]: document for document in self._of(views.CHECKPOINTS).find()}
        return {partition: _checkpoint(found.get(partition)) for partition in partitions}

    def apply(self, batch: Batch) -> Applied:
        """Write the batch and its checkpoint in one transaction."""
        with (
            passing_faults(),
            self._client.start_session() as session,
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority")),
        ):
            return self._apply(batch, session)

    def status(self) -> Status:
        """Return the checkpoints and the numbers of what waits."""
        checkpoints = self.checkpoints(range(PARTITIONS))
        with passing_faults():
            parked = self._of(views.PARKED_MESSAGES).count_documents({})
        return Status(checkpoints=checkpoints, tasks=0, parked=parked)

    def backlog(self) -> Backlog:
        """Return the number of what waits. Any thread may call it."""
        with passing_faults():
            return Backlog(tasks=0, parked=self._of(views.PARKED_MESSAGES).count_documents({}))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _apply(self, batch: Batch, session: ClientSession) -> Applied:
        document = self._of(views.CHECKPOINTS).find_one({"_id": batch.partition}, session=session)
        # A deletion marks every checkpoint: one that is there and unmarked proves that the generation may be written.
        if document is None or "forgotten" in document:
            self._check_generation(session)
        stored = _checkpoint(document)
        fresh = _fresh(batch, stored)
        parked = self._park(batch, fresh, session)
        waiting = {message.offset for message in parked}
        applied = [item for item in fresh if item.offset not in waiting]
        self._write((write for item in applied for write in item.writes), session)
        checkpoint = _moved(stored, batch, fresh, waiting)
        if checkpoint != stored:
            self._of(views.CHECKPOINTS).replace_one(
                {"_id": batch.partition}, msgspec.structs.asdict(checkpoint), upsert=True, session=session
            )
        earlier = self._parked_before(batch, fresh, session)
        return Applied(used=len(batch.items), checkpoint=checkpoint, parked=(*earlier, *parked))

    def _parked_before(self, batch: Batch, fresh: list[Item], session: ClientSession) -> list[ParkedMessage]:
        """Return what of the batch is parked already, for instance by an attempt whose response was lost."""
        new = {item.offset for item in fresh}
        known = [item for item in batch.items if item.sequence is not None and item.offset not in new]
        if not known:
            return []
        wanted = {"_id": {"$in": [item.parked(batch.topic_id).id for item in known]}}
        documents = self._of(views.PARKED_MESSAGES).find(wanted, session=session).sort("sequence")
        return [msgspec.convert(document, ParkedMessage) for document in documents]

    def _park(self, batch: Batch, fresh: list[Item], session: ClientSession) -> tuple[ParkedMessage, ...]:
        """Park poison, and the messages behind poison of their key that was parked earlier or is in this batch."""
        collection = self._of(views.PARKED_MESSAGES)
        keys = set(collection.distinct("key", {"partition": batch.partition}, session=session))
        found: list[ParkedMessage] = []
        for item in fresh:
            if item.poison or item.key in keys:
                keys.add(item.key)
                found.append(item.parked(batch.topic_id))
        if found:
            documents = [{"_id": message.id, **msgspec.to_builtins(message)} for message in found]
            collection.insert_many(documents, session=session)
        return tuple(found)

    def _check_generation(self, session: ClientSession | None) -> None:
        if not read_registry(self._first, session).has(self._generation):
            raise ForgottenError(f"generation {self._generation} is forgotten")

    def _drop(self) -> None:
        for collection in views.COLLECTIONS:
            self._of(collection).drop()

    def _write(self, writes: Iterable[MongoWrite], session: ClientSession) -> None:
        def absent(name: str, ids: Sequence[str]) -> set[str]:
            if len(ids) < READ_FROM:
                return set()
            # A document that somebody else makes after this read is not in the snapshot, and so a write conflict.
            there = self._database[name].find({"_id": {"$in": ids}}, {"_id": 1}, session=session)
            return set(ids).difference(document["_id"] for document in there)

        for name, todo in operations(writes, absent).items():
            self._database[name].bulk_write(todo, session=session)

    def _make(self, collection: views.Collection, there: set[str]) -> None:
        """Make a collection beside readers and other projectors.

        An index on many documents takes longer than a call may: MongoDB continues, and a later attempt finds it.
        """
        if collection.name not in there:  # making one waits for all transactions of the database
            with suppress(CollectionInvalid):  # another projector was faster
                self._database.create_collection(collection.name)
        for fields in collection.indexes:
            self._of(collection).create_index([(field, 1) for field in fields])

    def _of(self, collection: views.Collection) -> Any:
        return self._database[collection.name]


def _fresh(batch: Batch, stored: Checkpoint) -> list[Item]:
    """Return the messages that the store does not have yet. Raise GapError if one is missing before them."""
    fresh, last = [], stored.sequence
    for item in batch.items:
        if item.sequence is None:
            if stored.topic_id != batch.topic_id or item.offset > stored.offset:
                fresh.append(item)
        elif item.sequence > last + 1:
            raise GapError(f"partition {batch.partition} is at sequence {stored.sequence}")
        elif item.sequence == last + 1:
            fresh.append(item)
            last = item.sequence
    return fresh


def _moved(stored: Checkpoint, batch: Batch, fresh: list[Item], waiting: set[int]) -> Checkpoint:
    """Return the checkpoint after the fresh messages, or with the last one's new offset if the log was sent again."""
    if not fresh:
        sent_again = [item.offset for item in batch.items if item.sequence == stored.sequence]
        if sent_again and stored.topic_id != batch.topic_id:
            return msgspec.structs.replace(stored, topic_id=batch.topic_id, offset=sent_again[-1])
        return stored
    poison = stored.poison
    for item in fresh:
        if item.poison:
            poison += 1
        elif item.offset not in waiting:
            poison = 0
    return Checkpoint(
        sequence=max([stored.sequence, *(item.sequence for item in fresh if item.sequence)]),
        topic_id=batch.topic_id,
        offset=fresh[-1].offset,
        poison=poison,
    )


def _checkpoint(document: Mapping[str, Any] | None) -> Checkpoint:
    if document is None:
        return Checkpoint()
    return Checkpoint(**{field: document[field] for field in Checkpoint.__struct_fields__ if field in document})
