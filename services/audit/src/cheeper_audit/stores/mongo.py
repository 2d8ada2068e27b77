"""The documents in MongoDB: reading a range of ids, and repairing by compare-and-set on the checkpoints."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from pymongo import DeleteOne, MongoClient, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from cheeper_audit.difference import MongoRepair
from cheeper_audit.stores import StoreState, StoreUnavailableError
from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views import generations

Document = dict[str, Any]

_TRANSIENT: Final = "TransientTransactionError"


class MongoViews:
    """The collections of one generation: the one of that number, else the live one as of the last `follow`."""

    def __init__(self, client: MongoClient[Document], database: str, generation: int | None = None) -> None:
        self._client = client
        self._first = database
        self._fixed = generation
        self._number = generation or generations.FIRST
        self._version: int | None = None

    @property
    def generation(self) -> int:
        """The number of the generation that is read."""
        return self._number

    def follow(self) -> bool:
        """Turn to the live generation, unless one was given. Return whether that is another one than before.

        Raise StoreUnavailableError, also if the given generation does not exist.
        """
        with _as_unavailable():
            registry = self._registry(None)
        before = self._number
        if self._fixed is None:
            self._number = int(registry.get(generations.LIVE, generations.FIRST))
        elif not _has(registry, self._fixed):
            raise StoreUnavailableError(f"The MongoDB at MONGO_URL has no generation {self._fixed}.")
        entry = registry.get("generations", {}).get(str(self._number), {})
        self._version = entry.get(generations.VERSION)
        return self._number != before

    def state(self) -> StoreState:
        """Return the state of the generation that `follow` turns to. Raise StoreUnavailableError."""
        self.follow()
        with _as_unavailable():
            sequences = self._sequences(None)
        return StoreState(self._number, sequences, tasks=0, parked=self.parked_messages(), version=self._version)

    def parked_messages(self) -> int:
        """Return the number of parked messages. Raise StoreUnavailableError."""
        with _as_unavailable():
            return self._database[views.PARKED_MESSAGES.name].count_documents({})

    def between(self, collection: views.Collection, above: str | None, below: str | None) -> dict[str, Document]:
        """Return the documents by id whose ids are texts within the bounds, without the lower one.

        Raise StoreUnavailableError.
        """
        bounds: Document = {"$type": "string"}
        if above is not None:
            bounds["$gt"] = above
        if below is not None:
            bounds["$lte"] = below
        return {document["_id"]: document for document in self._find(collection, {"_id": bounds})}

    def with_other_ids(self, collection: views.Collection) -> list[Any]:
        """Return the ids that are no text, which no range finds. Raise StoreUnavailableError."""
        return [document["_id"] for document in self._find(collection, {"_id": {"$not": {"$type": "string"}}})]

    def some(self, collection: views.Collection, query: Document, most: int) -> list[Document]:
        """Return at most so many documents that match the query. Raise StoreUnavailableError."""
        with _as_unavailable():
            return list(self._database[collection.name].find(query, limit=most))

    def repair(self, repairs: Sequence[MongoRepair], sequences: Mapping[int, int]) -> int:
        """Run all repairs in one transaction if the checkpoints still have these sequences. Return the number.

        If the projector writes one of these documents meanwhile, one of the two meets a write conflict and is repeated
        on the result of the other. Raise StoreUnavailableError.
        """
        try:
            with self._client.start_session() as session, session.start_transaction(ReadConcern("snapshot")):
                if not _has(self._registry(session), self._number) or self._sequences(session) != sequences:
                    return 0
                for name in {repair.collection for repair in repairs}:
                    todo = [_operation(repair) for repair in repairs if repair.collection == name]
                    self._database[name].bulk_write(todo, session=session)
        except PyMongoError as error:
            if error.has_error_label(_TRANSIENT):
                return 0
            with _as_unavailable():
                raise
        return len(repairs)

    def record_comparison(self) -> bool:
        """Set `COMPARED_AT` in the generation's entry. Return False if the generation is not active. Raise
        StoreUnavailableError.
        """
        entry = f"generations.{self._number}"
        with _as_unavailable():
            done = self._of(generations.FIRST)[generations.REGISTRY].update_one(
                {"_id": generations.REGISTRY_ID, f"{entry}.state": {"$exists": True, "$nin": ["building", "deleting"]}},
                {"$set": {f"{entry}.{generations.COMPARED_AT}": time.time_ns() // 1_000}},
            )
        return bool(done.matched_count)

    @property
    def _database(self) -> Database[Document]:
        return self._of(self._number)

    def _of(self, number: int) -> Database[Document]:
        # Majority: what is read is what a primary that takes over will have.
        return self._client.get_database(
            generations.database_of(self._first, number),
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority"),
        )

    def _registry(self, session: ClientSession | None) -> Document:
        registered = self._of(generations.FIRST)[generations.REGISTRY]
        return registered.find_one({"_id": generations.REGISTRY_ID}, session=session) or {}

    def _find(self, collection: views.Collection, query: Document) -> list[Document]:
        with _as_unavailable():
            return list(self._database[collection.name].find(query))

    def _sequences(self, session: ClientSession | None) -> dict[int, int]:
        found = self._database[views.CHECKPOINTS.name].find(session=session)
        return dict.fromkeys(range(PARTITIONS), 0) | {each["_id"]: int(each["sequence"]) for each in found}


def _has(registry: Document, number: int) -> bool:
    """Return whether a generation exists and is not being deleted, since nothing may bring it back."""
    known = registry.get("generations", {}).get(str(number))
    if known is None:
        return bool(number == registry.get(generations.LIVE, generations.FIRST))
    return bool(known.get("state") != "deleting")


def _operation(repair: MongoRepair) -> ReplaceOne[Document] | DeleteOne:
    this = {"_id": repair.identifier}
    return DeleteOne(this) if repair.document is None else ReplaceOne(this, repair.document, upsert=True)


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise StoreUnavailableError(
            f"The MongoDB at MONGO_URL cannot be reached or does not serve: {_kind(error)}."
        ) from error


def _kind(error: PyMongoError) -> str:
    return type(error).__name__
