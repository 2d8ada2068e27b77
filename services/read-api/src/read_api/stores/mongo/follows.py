"""Follows, by either side, with the current names of the authors.

The author at the other end of a follow may not have signed up yet, as far as this store has projected. Such a follow is
left out, and a part that is short of it is completed by a further one. This is rare, so a part mostly takes one round
trip. Each further part is twice as large as the one before, so that a list with thousands of gaps takes few; and all
parts of a page have one deadline, so that one with still more gaps is refused.
"""

from __future__ import annotations

from typing import Final

import msgspec

from cheeper_contracts.views import AUTHORS, FOLLOWS
from read_api.queries.follow_lists import ListedAuthor
from read_api.query_bus.paging import Slice
from read_api.query_bus.query import Result
from read_api.stores.mongo.listing import SIGNED_UP, Listing
from read_api.stores.mongo.reader import Reader

LARGEST_PART: Final = 1_000


class _Names(msgspec.Struct, frozen=True):
    username: str
    name: str | None = None


class _Follow(msgspec.Struct, frozen=True):
    """A follow in a list; `author` is empty if the author at its other end has not signed up."""

    followed_at: int
    other_id: str
    author: list[_Names]


class MongoFollows:
    """The view of follows."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def followers(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedAuthor]]:
        """Implement `FollowerLists`."""
        with self._reader.deadline():
            return await self._signed_up(_FOLLOWERS, author_id, part, after)

    async def following(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedAuthor]]:
        """Implement `FollowingLists`."""
        with self._reader.deadline():
            return await self._signed_up(_FOLLOWING, author_id, part, after)

    async def _signed_up(
        self, listing: Listing[_Follow], author_id: str, part: Slice, after: str | None
    ) -> Result[list[ListedAuthor]]:
        authors: list[ListedAuthor] = []
        limit, settled = part.limit, True
        while True:
            found = await listing.read(self._reader, author_id, part, matching=SIGNED_UP, after=after)
            settled = settled and found.settled
            if found.data is None:
                return Result(data=None, settled=settled)
            authors += [_listed_author(follow, names) for follow in found.data for names in follow.author]
            if len(authors) >= limit or len(found.data) < part.limit:
                return Result(data=authors[:limit], settled=settled)
            last = found.data[-1]
            part = Slice(beyond=(last.followed_at, last.other_id), limit=min(part.limit * 2, LARGEST_PART))


def _listed_author(follow: _Follow, names: _Names) -> ListedAuthor:
    return ListedAuthor(
        author_id=follow.other_id, username=names.username, name=names.name, followed_at=follow.followed_at
    )


def _follows_of(owner: str, other: str) -> Listing[_Follow]:
    """Return the list of the follows of `owner`, with the names of the author at the other end."""
    names = [{"$match": SIGNED_UP}, {"$project": {"username": 1, "name": 1}}]
    author = {"from": AUTHORS.name, "localField": other, "foreignField": "_id", "pipeline": names, "as": "author"}
    return Listing(
        owners=AUTHORS,
        entries=FOLLOWS,
        shape=_Follow,
        owner=owner,
        time="followed_at",
        tie=other,
        then=[{"$lookup": author}, {"$project": {"followed_at": 1, "other_id": f"${other}", "author": 1}}],
    )


_FOLLOWERS: Final = _follows_of("to_author_id", "from_author_id")
_FOLLOWING: Final = _follows_of("from_author_id", "to_author_id")
