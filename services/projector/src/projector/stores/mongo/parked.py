"""The parked messages in MongoDB: replaying one is one transaction, views and queue together.

The transaction changes the partition's checkpoint too, though not where it stands: so a projector that parks a message
behind these in the meantime meets a write conflict, and looks again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from cheeper_contracts import views
from projector.generations.registry import ForgottenError
from projector.parked.message import ParkedMessage
from projector.stores.base import LeftOut
from projector.stores.mongo.faults import passing_faults
from projector.stores.mongo.operations import Document, operations

_IN_ORDER: Final = [("partition", 1), ("key", 1), ("sequence", 1), ("offset", 1)]


class MongoParkedMessages:
    """What the MongoDB store has set aside. Not for several threads at once."""

    name = "mongo"

    def __init__(self, client: MongoClient[Document], database: str) -> None:
        self._client = client
        self._database = client.get_database(
            database, write_concern=WriteConcern("majority"), read_concern=ReadConcern("majority")
        )

    def all(self) -> Iterator[ParkedMessage]:
        """All of them, those of a key in their order."""
        with passing_faults():
            for document in self._parked.find().sort(_IN_ORDER):
                yield msgspec.convert(document, ParkedMessage)

    def first_of(self, key: str) -> ParkedMessage | None:
        """The next one of a key to be replayed."""
        with passing_faults():
            return self._first_of(key, None)

    def replay(self, message: ParkedMessage, writes: tuple[Any, ...]) -> tuple[LeftOut, ...] | None:
        """Writes these and forgets the message, in one transaction. Raises UnappliableError."""
        with (
            passing_faults(),
            self._client.start_session() as session,
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority")),
        ):
            if self._first_of(message.key, session) != message:
                return None
            for name, todo in operations(writes).items():
                self._database[name].bulk_write(todo, session=session)
            self._forget(message, session)
            return ()

    def drop(self, message: ParkedMessage) -> bool:
        """Forgets the message; false where it is not there any more."""
        with (
            passing_faults(),
            self._client.start_session() as session,
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority")),
        ):
            return self._forget(message, session)

    def restate(self, message: ParkedMessage, now: ParkedMessage) -> None:
        """Keeps another reason for its key's first message."""
        with passing_faults():
            self._parked.replace_one({"_id": message.place}, msgspec.to_builtins(now))

    def close(self) -> None:
        """Gives its connections back."""
        self._client.close()

    def _first_of(self, key: str, session: ClientSession | None) -> ParkedMessage | None:
        document = self._parked.find_one({"key": key}, sort=_IN_ORDER, session=session)
        return None if document is None else msgspec.convert(document, ParkedMessage)

    def _forget(self, message: ParkedMessage, session: ClientSession) -> bool:
        # Somebody sees to the poison: it is no row of it any more.
        before = self._database[views.CHECKPOINTS.name].find_one_and_update(
            {"_id": message.partition}, {"$set": {"poison": 0}, "$inc": {"unparked": 1}}, session=session
        )
        if "forgotten" in (before or {}):
            raise ForgottenError("the generation is forgotten")
        return bool(self._parked.delete_one({"_id": message.place}, session=session).deleted_count)

    @property
    def _parked(self) -> Any:
        return self._database[views.PARKED_MESSAGES.name]
