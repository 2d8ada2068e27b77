"""The parked messages in MongoDB: a replay is one transaction that writes the views and removes the message.

The transaction changes the partition's checkpoint too, though not its sequence, so a projector that parks a message
behind these meanwhile meets a write conflict and reads them again.
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
from projector.messages.parked import ParkedMessage
from projector.stores.mongo.faults import passing_faults
from projector.stores.mongo.operations import Document, operations
from projector.stores.registry import ForgottenError
from projector.stores.task_store import LeftOut

_IN_ORDER: Final = [("partition", 1), ("key", 1), ("sequence", 1), ("offset", 1)]


class MongoParkedMessages:
    """The parked messages of one generation. Not for several threads at once."""

    name = "mongo"

    def __init__(self, client: MongoClient[Document], database: str) -> None:
        self._client = client
        self._database = client.get_database(
            database, write_concern=WriteConcern("majority"), read_concern=ReadConcern("majority")
        )

    def all(self) -> Iterator[ParkedMessage]:
        """Yield all of them, those of a key in their order."""
        with passing_faults():
            for document in self._parked.find().sort(_IN_ORDER):
                yield msgspec.convert(document, ParkedMessage)

    def first_of(self, key: str) -> ParkedMessage | None:
        """Return the key's message that is to be replayed next."""
        with passing_faults():
            return self._first_of(key, None)

    def replay(self, message: ParkedMessage, writes: tuple[Any, ...]) -> tuple[LeftOut, ...] | None:
        """Write these and unpark the message, in one transaction. Raise UnappliableError."""
        with (
            passing_faults(),
            self._client.start_session() as session,
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority")),
        ):
            if self._first_of(message.key, session) != message:
                return None
            for name, todo in operations(writes).items():
                self._database[name].bulk_write(todo, session=session)
            self._remove(message, session)
            return ()

    def drop(self, message: ParkedMessage) -> bool:
        """Remove the message. Return False if it is not parked any more."""
        with (
            passing_faults(),
            self._client.start_session() as session,
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority")),
        ):
            return self._remove(message, session)

    def restate(self, message: ParkedMessage, now: ParkedMessage) -> None:
        """Replace the key's first message, with another reason."""
        with passing_faults():
            self._parked.replace_one({"_id": message.id}, msgspec.to_builtins(now))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _first_of(self, key: str, session: ClientSession | None) -> ParkedMessage | None:
        document = self._parked.find_one({"key": key}, sort=_IN_ORDER, session=session)
        return None if document is None else msgspec.convert(document, ParkedMessage)

    def _remove(self, message: ParkedMessage, session: ClientSession) -> bool:
        # The poison is being handled, so it does not count towards the limit any more.
        before = self._database[views.CHECKPOINTS.name].find_one_and_update(
            {"_id": message.partition}, {"$set": {"poison": 0}, "$inc": {"unparked": 1}}, session=session
        )
        if "forgotten" in (before or {}):
            raise ForgottenError("the generation is forgotten")
        return bool(self._parked.delete_one({"_id": message.id}, session=session).deleted_count)

    @property
    def _parked(self) -> Any:
        return self._database[views.PARKED_MESSAGES.name]
