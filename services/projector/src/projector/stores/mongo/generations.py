"""The registry of generations in MongoDB: a document of the first one's database, changed in transactions.

A switch and a deletion change checkpoint documents too, though not their sequences: a projector that applies something
at the same time meets a write conflict, and reads the registry again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import msgspec
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.generations import FIRST, LIVE, REGISTRY, REGISTRY_ID, database_of
from cheeper_contracts.views.lag import LAG, report_id
from projector.stores.base import Checkpoint
from projector.stores.mongo.faults import passing_faults
from projector.stores.mongo.operations import Document
from projector.stores.registry import BehindError, Generation, GenerationError, Registry

T = TypeVar("T")

_AT_MOST: Final = 1_000
"""Parked messages that a switch compares."""


class MongoGenerations:
    """The generations of the MongoDB views. `database` is the first one's."""

    name = "mongo"

    def __init__(self, client: MongoClient[Document], database: str) -> None:
        self._client = client
        self._first = database

    def registry(self) -> Registry:
        """Return the registry as it is now."""
        with passing_faults():
            return read_registry(self._database(FIRST), None)

    def register(self, version: int) -> Registry:
        """Return the registry after the first generation was registered if there was none."""
        found = self.registry()
        return found if found.generations else self._step(lambda registry: registry.with_first(version, _now()))

    def create(self, version: int) -> Generation:
        """Add a generation to be built. Raise GenerationError."""
        made = self._step(lambda registry: registry.with_first(version, _now()).with_new(version, _now()))
        return made.of(made.last)

    def activate(self, number: int) -> None:
        """Let every projector of its version fill the generation from now on. Raise GenerationError."""
        self._step(lambda registry: registry.with_active(number))

    def switch(self, number: int, *, restored: bool = False) -> None:
        """Show readers the generation. Raise BehindError and GenerationError."""

        def change(session: ClientSession) -> None:
            registry = read_registry(self._database(FIRST), session)
            switched = registry.with_live(number)
            self._compare(registry.live, number, session, restored=restored)
            self._touch(registry.live, {"$inc": {"switched": 1}}, session)
            self._write(switched, session)
            for each in {registry.live, number} - {FIRST}:
                mark = {"_id": REGISTRY_ID, LIVE: number}
                self._database(each)[REGISTRY].replace_one({"_id": REGISTRY_ID}, mark, upsert=True, session=session)

        self._in_transaction(change)

    def forget(self, number: int) -> None:
        """Let nothing be written into the generation any more. Raise GenerationError if it is live."""

        def change(session: ClientSession) -> None:
            self._write(read_registry(self._database(FIRST), session).with_deleting(number), session)
            self._touch(number, {"$set": {"forgotten": True}}, session)

        self._in_transaction(change)

    def clear(self, number: int) -> Iterator[int]:
        """Drop the collections of a generation that is being deleted; yield the number dropped so far."""
        if self.registry().has(number):
            raise GenerationError(f"generation {number} is not deleting")
        database = self._database(number)
        # The registry is in the first one's database, so that one is never dropped whole. Checkpoints go last: a
        # projector that still applies something finds there that it must not.
        for dropped, collection in enumerate(sorted(views.COLLECTIONS, key=lambda one: one is views.CHECKPOINTS), 1):
            with passing_faults():
                database.drop_collection(collection.name)
            yield dropped
        if number != FIRST:  # with its last collection, the database goes too
            with passing_faults():
                for left in database.list_collection_names():  # the mark, and what a killed projector began to make
                    database.drop_collection(left)

    def remove(self, number: int) -> None:
        """Remove a generation from the registry. Raise GenerationError unless it is being deleted."""
        self._step(lambda registry: registry.without(number))
        doomed = [report_id(number, partition) for partition in range(PARTITIONS)]
        with passing_faults():
            self._database(FIRST)[LAG].delete_many({"_id": {"$in": doomed}})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _step(self, step: Callable[[Registry], Registry]) -> Registry:
        def change(session: ClientSession) -> Registry:
            before = read_registry(self._database(FIRST), session)
            after = step(before)
            if after != before:
                self._write(after, session)
            return after

        return self._in_transaction(change)

    def _in_transaction(self, change: Callable[[ClientSession], T]) -> T:
        with passing_faults(), self._client.start_session() as session:
            return session.with_transaction(change, ReadConcern("snapshot"), WriteConcern("majority"))

    def _compare(self, live: int, target: int, session: ClientSession, *, restored: bool) -> None:
        theirs, ours = self._checkpoints(live, session), self._checkpoints(target, session)
        for partition in range(PARTITIONS):
            there, here = theirs.get(partition, Checkpoint()), ours.get(partition, Checkpoint())
            if here.sequence < there.sequence and not (restored and here.topic_id != there.topic_id):
                raise BehindError(
                    f"generation {target} is behind: at sequence {here.sequence} of partition {partition}, where the "
                    f"live one is at {there.sequence}"
                )
        parked = self._parked(target, {}, session)
        if len(parked) > _AT_MOST:
            raise BehindError(f"generation {target} has more than {_AT_MOST} messages parked")
        if lacking := sorted(parked - self._parked(live, {"_id": {"$in": list(parked)}}, session)):
            raise BehindError(f"generation {target} has parked a message that the live one has not: {lacking[0]}")

    def _checkpoints(self, number: int, session: ClientSession) -> dict[int, Checkpoint]:
        found = self._database(number)[views.CHECKPOINTS.name].find(session=session)
        return {
            document["_id"]: Checkpoint(sequence=document["sequence"], topic_id=document["topic_id"])
            for document in found
        }

    def _parked(self, number: int, which: dict[str, Any], session: ClientSession) -> set[str]:
        found = self._database(number)[views.PARKED_MESSAGES.name].find(which, {"_id": 1}, session=session)
        return {str(document["_id"]) for document in found.limit(_AT_MOST + 1)}

    def _touch(self, number: int, update: dict[str, Any], session: ClientSession) -> None:
        """Change every checkpoint document, also those that are not there yet: a projector may be making one."""
        none_yet = {"$setOnInsert": msgspec.structs.asdict(Checkpoint())}
        for partition in range(PARTITIONS):
            self._database(number)[views.CHECKPOINTS.name].update_one(
                {"_id": partition}, update | none_yet, upsert=True, session=session
            )

    def _write(self, registry: Registry, session: ClientSession) -> None:
        document = msgspec.to_builtins(registry, str_keys=True)
        self._database(FIRST)[REGISTRY].replace_one({"_id": REGISTRY_ID}, document, upsert=True, session=session)

    def _database(self, number: int) -> Any:
        return self._client.get_database(
            database_of(self._first, number),
            write_concern=WriteConcern("majority"),
            read_concern=ReadConcern("majority"),
        )


def read_registry(first: Any, session: ClientSession | None) -> Registry:
    """Return the registry in the first generation's database, as the transaction sees it if there is one."""
    document = first[REGISTRY].find_one({"_id": REGISTRY_ID}, session=session)
    return Registry() if document is None else msgspec.convert(document, Registry, strict=False)


def _now() -> int:
    return time.time_ns() // 1_000
