"""The look-up of a part of a list together with the document of its owner, in one aggregation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from cheeper_contracts.views import Collection
from read_api.query_bus.paging import Position, Slice
from read_api.query_bus.query import Result
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.reader import Reader

SIGNED_UP: Final = {"username": {"$type": "string"}}
"""Matches authors whose sign-up has been projected, and not only what others did to them."""

LARGEST_PART: Final = 1_000

Entry = TypeVar("Entry")


class Listing(msgspec.Struct, Generic[Entry], frozen=True, kw_only=True):
    """A list in the collection `entries`, whose index on (`owner`, `time`, `tie`) has it in order: the fields with the
    owner's id, the time of an entry, and the id that breaks ties. `then` are stages that complete the entries of a
    part, which are converted to `shape`. `total` is an expression on the owner for the number of all entries, if the
    owner has it. `known` are fields of the owner, which stages see as variables of their names. `unread` are stages
    that leave of the newest `unread_max` entries those to be counted with the first part; by default none are counted.
    """

    owners: Collection
    entries: Collection
    shape: type[Entry]
    owner: str
    time: str
    tie: str
    newest_first: bool = True
    then: Sequence[Document] = ()
    total: str | Document | None = None
    known: Sequence[str] = ()
    unread: Sequence[Document] = ()
    unread_max: int = 0

    async def read(
        self, reader: Reader, owner_id: str, part: Slice, *, after: str | None, matching: Document | None = None
    ) -> Result[list[Entry]]:
        """Return a part of the list, or None if its owner does not exist or does not match."""
        found = await reader.first(self.owners, self._pipeline(owner_id, part, matching or {}), after=after)
        entries: Any = list[self.shape]  # type: ignore[name-defined] # a type as a value
        if found.data is None:
            return Result(data=None, settled=found.settled)
        document = found.data
        return Result(
            data=msgspec.convert(document["entries"], entries),
            settled=found.settled,
            total=document.get("total"),
            unread=sum(each["count"] for each in document["unread"]) if "unread" in document else None,
        )

    async def filled(  # noqa: PLR0913 - what is read, and which of it is shown
        self,
        reader: Reader,
        owner_id: str,
        part: Slice,
        *,
        shown: Callable[[Entry], bool],
        position_of: Callable[[Entry], Position],
        matching: Document,
        after: str | None,
    ) -> Result[list[Entry]]:
        """Return a part of the list of those entries that are shown. A part that is short of them is completed by a
        further one, twice as large as the one before, so that thousands of gaps take few; all have one deadline.
        """
        entries: list[Entry] = []
        limit, settled, unread = part.limit, True, None
        with reader.deadline():
            while True:
                found = await self.read(reader, owner_id, part, matching=matching, after=after)
                settled = settled and found.settled
                unread = found.unread if part.beyond is None else unread
                if found.data is None:
                    return Result(data=None, settled=settled)
                entries += filter(shown, found.data)
                if len(entries) >= limit or len(found.data) < part.limit:
                    return Result(data=entries[:limit], settled=settled, total=found.total, unread=unread)
                part = Slice(beyond=position_of(found.data[-1]), limit=min(part.limit * 2, LARGEST_PART))

    def _pipeline(self, owner_id: str, part: Slice, matching: Document) -> list[Document]:
        """Return a pipeline on the owners that gives one document, whose `entries` are the part, or none."""
        total = {} if self.total is None else {"total": self.total}
        pipeline = [
            {"$match": {"_id": owner_id, **matching}},
            {"$project": {"_id": 1, **total, **dict.fromkeys(self.known, 1)}},
            self._lookup("entries", self._newest(owner_id, part), self.then),
        ]
        if self.unread and part.beyond is None:
            newest = self._newest(owner_id, Slice(beyond=None, limit=self.unread_max))
            pipeline.append(self._lookup("unread", newest, [*self.unread, {"$count": "count"}]))
        return pipeline

    def _newest(self, owner_id: str, part: Slice) -> list[Document]:
        """Return stages on the entries that give a part in the list's order."""
        return [
            {"$match": {self.owner: owner_id, **self._beyond(part)}},
            {"$sort": dict.fromkeys((self.time, self.tie), -1 if self.newest_first else 1)},
            {"$limit": part.limit},
        ]

    def _lookup(self, name: str, part: Sequence[Document], then: Sequence[Document]) -> Document:
        """Return a stage that gives the owner what stages make of a part of its entries."""
        variables = {each: {"$ifNull": [f"${each}", None]} for each in self.known}
        return {"$lookup": {"from": self.entries.name, "let": variables, "pipeline": [*part, *then], "as": name}}

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
