"""The documents in MongoDB: reading a range of ids, and mending by compare-and-set on the checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from pymongo import DeleteOne, MongoClient, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from cheeper_audit.difference import MongoMend
from cheeper_audit.stores import StoreAwayError, StoreState
from cheeper_contracts import views
from cheeper_contracts.generations import FIRST, LIVE, REGISTRY, REGISTRY_ID
from cheeper_contracts.topics import PARTITIONS

Document = dict[str, Any]

_TRANSIENT: Final = "TransientTransactionError"


class MongoViews:
    """The collections of one installation."""

    def __init__(self, client: MongoClient[Document], database: str) -> None:
        self._client = client
        # Majority: what is read is what a primary that takes over will have.
        self._database = client.get_database(
            database, read_concern=ReadConcern("majority"), write_concern=WriteConcern("majority")
        )

    def state(self) -> StoreState:
        """How far it is. Raises StoreAwayError."""
        with _away():
            sequences = self._sequences(None)
            parked = self._database[views.PARKED_MESSAGES.name].count_documents({})
        return StoreState(sequences, tasks=0, parked=parked)

    def between(self, collection: views.Collection, above: str | None, below: str | None) -> dict[str, Document]:
        """The documents whose ids are texts above the one and not above the other, by id. Raises StoreAwayError."""
        bounds: Document = {"$type": "string"}
        if above is not None:
            bounds["$gt"] = above
        if below is not None:
            bounds["$lte"] = below
        return {document["_id"]: document for document in self._find(collection, {"_id": bounds})}

    def with_other_ids(self, collection: views.Collection) -> list[Any]:
        """The ids that are no text: no range finds them. Raises StoreAwayError."""
        return [document["_id"] for document in self._find(collection, {"_id": {"$not": {"$type": "string"}}})]

    def mend(self, mends: Sequence[MongoMend], sequences: Mapping[int, int]) -> int:
        """Put all in one transaction, if the checkpoints still have these sequences; how many were put: all or none.

        What the projector applies meanwhile to one of these documents meets a write conflict with it, so that one of
        the two is done anew on what the other has left. Raises StoreAwayError.
        """
        try:
            with self._client.start_session() as session, session.start_transaction(ReadConcern("snapshot")):
                if self._sequences(session) != sequences:
                    return 0
                for name in {mend.collection for mend in mends}:
                    todo = [_operation(mend) for mend in mends if mend.collection == name]
                    self._database[name].bulk_write(todo, session=session)
        except PyMongoError as error:
            if error.has_error_label(_TRANSIENT):
                return 0
            with _away():
                raise
        return len(mends)

    def _find(self, collection: views.Collection, query: Document) -> list[Document]:
        with _away():
            return list(self._database[collection.name].find(query))

    def _sequences(self, session: ClientSession | None) -> dict[int, int]:
        found = self._database[views.CHECKPOINTS.name].find(session=session)
        return dict.fromkeys(range(PARTITIONS), 0) | {each["_id"]: int(each["sequence"]) for each in found}


def live_in_mongo(client: MongoClient[Document], database: str) -> int:
    """The generation that readers are shown. Raises StoreAwayError."""
    with _away():
        registry = client.get_database(database, read_concern=ReadConcern("majority"))[REGISTRY]
        return int((registry.find_one({"_id": REGISTRY_ID}) or {}).get(LIVE, FIRST))


def _operation(mend: MongoMend) -> ReplaceOne[Document] | DeleteOne:
    this = {"_id": mend.identifier}
    return DeleteOne(this) if mend.document is None else ReplaceOne(this, mend.document, upsert=True)


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise StoreAwayError(
            f"The MongoDB at MONGO_URL cannot be reached or does not serve: {_kind(error)}."
        ) from error


def _kind(error: PyMongoError) -> str:
    return type(error).__name__
