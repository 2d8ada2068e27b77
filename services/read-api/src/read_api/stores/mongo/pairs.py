"""Facts about two authors (a follow, a mute, a block), as lists of one of them with the current names of the others.

The other author may not have signed up yet, as far as this store has projected. Such a pair is left out. This is rare,
so a page mostly takes one round trip.
"""

from __future__ import annotations

import msgspec

from cheeper_contracts.views import AUTHORS, Collection
from read_api.queries.listed_authors import ListedAuthor
from read_api.query_bus.paging import Slice
from read_api.query_bus.query import Result
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.listing import SIGNED_UP, Listing
from read_api.stores.mongo.reader import Reader


class _Names(msgspec.Struct, frozen=True):
    username: str
    name: str | None = None


class Pair(msgspec.Struct, frozen=True):
    """A pair in a list; `author` is empty if the other author has not signed up."""

    since: int
    other_id: str
    author: list[_Names]


def pairs_of(entries: Collection, owner: str, other: str, time: str, *, total: Document | None = None) -> Listing[Pair]:
    """Return the list of the pairs of `owner` in a collection, the newest first. The arguments are the fields with the
    owner's and the other author's id and the time, in which the collection has an index in this order; `total` is an
    expression on the owner for the number of all pairs.
    """
    names = [{"$match": SIGNED_UP}, {"$project": {"username": 1, "name": 1}}]
    author = {"from": AUTHORS.name, "localField": other, "foreignField": "_id", "pipeline": names, "as": "author"}
    return Listing(
        owners=AUTHORS,
        entries=entries,
        shape=Pair,
        owner=owner,
        time=time,
        tie=other,
        then=[{"$lookup": author}, {"$project": {"since": f"${time}", "other_id": f"${other}", "author": 1}}],
        total=total,
    )


async def signed_up(
    reader: Reader, listing: Listing[Pair], author_id: str, part: Slice, after: str | None
) -> Result[list[ListedAuthor]]:
    """Return a part of the other authors of the pairs, without those who have not signed up."""
    found = await listing.filled(
        reader,
        author_id,
        part,
        shown=lambda pair: bool(pair.author),
        position_of=lambda pair: (pair.since, pair.other_id),
        matching=SIGNED_UP,
        after=after,
    )
    authors = None if found.data is None else [_listed_author(pair) for pair in found.data]
    return Result(data=authors, settled=found.settled, total=found.total)


def _listed_author(pair: Pair) -> ListedAuthor:
    [names] = pair.author
    return ListedAuthor(author_id=pair.other_id, username=names.username, name=names.name, since=pair.since)
