"""The look-up of a part of a list, with the document of who or what has that list: one aggregation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from cheeper_contracts.views import Collection
from read_api.query_bus.paging import Listed, Part
from read_api.stores.mongo.generations import Document

SIGNED_UP: Final = {"username": {"$type": "string"}}
"""Authors of whom more is in than what others did to them."""

Entry = TypeVar("Entry")


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A list in a collection, whose index of (`owner`, `time`, `tie`) has it in order: whose list it is, the time of an
    entry, and the id that breaks ties. `then` are stages that complete the part's entries.
    """

    collection: Collection
    owner: str
    time: str
    tie: str
    newest_first: bool = True
    then: Sequence[Document] = ()

    def part(self, owner_id: str, owner: Document, part: Part) -> list[Document]:
        """A pipeline on the owner's collection: one document whose `entries` are the part of the list, or none where
        no document of that id matches `owner`.
        """
        entries = [
            {"$match": {self.owner: owner_id, **self._beyond(part)}},
            {"$sort": dict.fromkeys((self.time, self.tie), -1 if self.newest_first else 1)},
            {"$limit": part.most},
            *self.then,
        ]
        return [
            {"$match": {"_id": owner_id, **owner}},
            {"$project": {"_id": 1}},
            {"$lookup": {"from": self.collection.name, "pipeline": entries, "as": "entries"}},
        ]

    def _beyond(self, part: Part) -> Document:
        if part.beyond is None:
            return {}
        time, tie = part.beyond
        beyond = "$lt" if self.newest_first else "$gt"
        # The first range is the index's; the other conditions only leave out what has the very same time.
        return {
            self.time: {f"{beyond}e": time},
            "$or": [{self.time: {beyond: time}}, {self.tie: {beyond: tie}}],
        }


def listed(found: tuple[Document | None, bool], entry: type[Entry]) -> Listed[Entry]:
    """What a part's pipeline found."""
    document, settled = found
    entries = None if document is None else msgspec.convert(document["entries"], list[entry])  # type: ignore[valid-type] # a type as a value
    return Listed(entries=entries, settled=settled)
