"""The documents in MongoDB: one transaction applies batches, each with its partition's checkpoint.

The transaction reads the checkpoints and writes them, so of two projectors with the same batch one meets a write
conflict, retries, and finds duplicates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from pymongo import MongoClient, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.errors import CollectionInvalid
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.generations import FIRST, database_of
from projector.messages.parked import ParkedMessage
from projector.projections.writes import MongoWrite
from projector.stores.base import (
    Applied,
    Backlog,
    Batch,
    Checkpoint,
    ConflictError,
    GapError,
    Item,
    Outcome,
    Status,
    UnappliableError,
)
from projector.stores.mongo.faults import passing_faults
from projector.stores.mongo.generations import read_registry
from projector.stores.mongo.operations import Document, operations
from projector.stores.mongo.plan import Plan, checkpoint_of, plan
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
        self._parked: dict[int, tuple[Checkpoint, frozenset[str]]] = {}  # as of the last call
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
        return {partition: checkpoint_of(found.get(partition)) for partition in partitions}

    def apply(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Write the batches and their checkpoints in one transaction. If that fails, each has one of its own."""
        try:
            return self._transact(batches)
        except (UnappliableError, ConflictError) as error:
            if len(batches) > 1:
                return [outcome for batch in batches for outcome in self.apply([batch])]
            if isinstance(error, UnappliableError):
                return [error]
            raise

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

    def _transact(self, batches: Sequence[Batch]) -> list[Outcome]:
        with (
            passing_faults(),
            self._client.start_session() as session,
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority")),
        ):
            planned = self._planned(batches, session)
            plans = [plan for plan in planned if isinstance(plan, Plan)]
            self._park([message for plan in plans for message in plan.parked], session)
            self._write((write for plan in plans for item in plan.applied for write in item.writes), session)
            self._move(plans, session)
            outcomes: list[Outcome] = [
                self._applied(plan, session) if isinstance(plan, Plan) else plan for plan in planned
            ]
        self._parked |= {plan.batch.partition: (plan.checkpoint, plan.parked_keys) for plan in plans}
        return outcomes

    def _planned(self, batches: Sequence[Batch], session: ClientSession) -> list[Plan | GapError]:
        wanted = {"_id": {"$in": [batch.partition for batch in batches]}}
        found = {document["_id"]: document for document in self._of(views.CHECKPOINTS).find(wanted, session=session)}
        # A deletion marks every checkpoint: one that is there and unmarked proves that the generation may be written.
        if len(found) < len(batches) or any("forgotten" in document for document in found.values()):
            self._check_generation(session)
        return [self._plan(batch, found.get(batch.partition), session) for batch in batches]

    def _plan(self, batch: Batch, document: Document | None, session: ClientSession) -> Plan | GapError:
        stored = checkpoint_of(document)
        keys = self._parked_keys(batch.partition, document, session)
        try:
            return plan(batch, stored, keys)
        except GapError as error:
            return error

    def _parked_keys(self, partition: int, document: Document | None, session: ClientSession) -> frozenset[str]:
        """Return the keys whose messages are parked. Whoever parks or unparks one changes the checkpoint's document,
        so they are those of the last call here if the document is as that call left it.
        """
        left, keys = self._parked.get(partition, (None, frozenset()))
        if left is not None and document == {"_id": partition, **msgspec.structs.asdict(left)}:
            return keys
        found = self._of(views.PARKED_MESSAGES).distinct("key", {"partition": partition}, session=session)
        return frozenset(found)

    def _applied(self, plan: Plan, session: ClientSession) -> Applied:
        earlier = self._parked_before(plan.batch.topic_id, plan.known, session)
        return Applied(used=len(plan.batch.items), checkpoint=plan.checkpoint, parked=(*earlier, *plan.parked))

    def _parked_before(self, topic_id: str, known: Sequence[Item], session: ClientSession) -> list[ParkedMessage]:
        """Return which of these are parked already, for instance by an attempt whose response was lost."""
        if not known:
            return []
        wanted = {"_id": {"$in": [item.parked(topic_id).id for item in known]}}
        documents = self._of(views.PARKED_MESSAGES).find(wanted, session=session).sort("sequence")
        return [msgspec.convert(document, ParkedMessage) for document in documents]

    def _park(self, messages: Sequence[ParkedMessage], session: ClientSession) -> None:
        if messages:
            documents = [{"_id": message.id, **msgspec.to_builtins(message)} for message in messages]
            self._of(views.PARKED_MESSAGES).insert_many(documents, session=session)

    def _move(self, plans: Iterable[Plan], session: ClientSession) -> None:
        moved = [
            ReplaceOne({"_id": each.batch.partition}, msgspec.structs.asdict(each.checkpoint), upsert=True)
            for each in plans
            if each.checkpoint != each.stored
        ]
        if moved:
            self._of(views.CHECKPOINTS).bulk_write(moved, session=session)

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
