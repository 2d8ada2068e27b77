"""The look-up of a part of a list together with the document of its owner, in one aggregation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from cheeper_contracts.views import Collection
from read_api.query_bus.paging import Slice
from read_api.query_bus.query import Result
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.reader import Reader

SIGNED_UP: Final = {"username": {"$type": "string"}}
"""Matches authors whose sign-up has been projected, and not only what others did to them."""

Entry = TypeVar("Entry")


class Listing(msgspec.Struct, Generic[Entry], frozen=True, kw_only=True):
    """A list in the collection `entries`, whose index on (`owner`, `time`, `tie`) has it in order: the fields with the
    owner's id, the time of an entry, and the id that breaks ties. `then` are stages that complete the entries of a
    part, which are converted to `shape`.
    """

    owners: Collection
    entries: Collection
    shape: type[Entry]
    owner: str
    time: str
    tie: str
    newest_first: bool = True
    then: Sequence[Document] = ()

    async def read(
        self, reader: Reader, owner_id: str, part: Slice, *, after: str | None, matching: Document | None = None
    ) -> Result[list[Entry]]:
        """Return a part of the list, or None if its owner does not exist or does not match."""
        found = await reader.first(self.owners, self._pipeline(owner_id, part, matching or {}), after=after)
        entries: Any = list[self.shape]  # type: ignore[name-defined] # a type as a value
        return found.map(lambda document: msgspec.convert(document["entries"], entries))

    def _pipeline(self, owner_id: str, part: Slice, matching: Document) -> list[Document]:
        """Return a pipeline on the owners that gives one document, whose `entries` are the part, or none."""
        entries = [
            {"$match": {self.owner: owner_id, **self._beyond(part)}},
            {"$sort": dict.fromkeys((self.time, self.tie), -1 if self.newest_first else 1)},
            {"$limit": part.limit},
            *self.then,
        ]
        return [
            {"$match": {"_id": owner_id, **matching}},
            {"$project": {"_id": 1}},
            {"$lookup": {"from": self.entries.name, "pipeline": entries, "as": "entries"}},
        ]

    def _beyond(self, part: Slice) -> Document:
        if part.beyond is None:
            return {}
        time, tie = part.beyond
        beyond = "$lt" if self.newest_first else "$gt"
        # The first condition is a range of the index; the others only drop entries of exactly the same time.
        return {
            self.time: {f"{beyond}e": time},
            "$or": [{self.time: {beyond: time}}, {self.tie: {beyond: tie}}],
        }
