"""MongoDB: the documents of the live generation, each read as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from cheeper_audit.stores.mongo import MongoViews
from cheeper_contracts import views
from cheeper_contracts.views import CommandRecord
from inspector.failed.messages import StoredMessage
from inspector.sources.parked import ParkedMessage
from inspector.trace.effects import DocumentRef
from inspector.trace.evidence import Parked, StoreState
from inspector.trace.model import View

_MOST_PARKED: Final = 100


class MongoDocuments:
    """Reads the documents. Every method raises StoreUnavailableError."""

    def __init__(self, mongo: MongoViews) -> None:
        self._mongo = mongo
        self._followed = False

    def state(self, partition: int) -> StoreState:
        """Return the live generation with its checkpoint."""
        [*found] = self._some(views.CHECKPOINTS, {"_id": partition}, 1)
        return StoreState(self._mongo.generation, int(found[0]["sequence"]) if found else 0)

    def parked(self, key: str) -> tuple[Parked, ...]:
        """Return the parked messages of a key, at most 100."""
        found = self._some(views.PARKED_MESSAGES, {"key": key}, _MOST_PARKED)
        return tuple(Parked(each.message_id, each.reason) for each in map(_parked, found))

    def failed(self, most: int) -> tuple[StoredMessage, ...]:
        """Return parked messages, those of a key in their order."""
        found = sorted(map(_parked, self._some(views.PARKED_MESSAGES, {}, most)), key=_order)
        return tuple(message.stored("mongo") for message in found)

    def number_failed(self) -> int:
        """Return the number of parked messages."""
        self._follow()
        return self._mongo.parked_messages()

    def record(self, message_id: str) -> CommandRecord | None:
        """Return the record of a command."""
        found = self._some(views.COMMANDS, {"_id": message_id}, 1)
        return msgspec.convert(found[0], CommandRecord) if found else None

    def shown(self, refs: Sequence[DocumentRef]) -> tuple[View, ...]:
        """Return the documents as they are now."""
        return tuple(self._view(ref) for ref in refs)

    def _view(self, ref: DocumentRef) -> View:
        found = self._some(ref.collection, {"_id": ref.identifier}, 1)
        return View(f"{ref.collection.name}/{ref.identifier}", ref.collection.holds, found[0] if found else None)

    def _follow(self) -> None:
        """Turn to the live generation, once for all that a request reads."""
        if not self._followed:
            self._mongo.follow()
            self._followed = True

    def _some(self, collection: views.Collection, query: dict[str, Any], most: int) -> list[dict[str, Any]]:
        self._follow()
        return self._mongo.some(collection, query, most)


def _parked(document: dict[str, Any]) -> ParkedMessage:
    return msgspec.convert(document, ParkedMessage)


def _order(message: ParkedMessage) -> tuple[int, str, int, int]:
    return message.partition, message.key, message.sequence or 0, message.offset
