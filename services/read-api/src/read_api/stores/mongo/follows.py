"""Who follows whom, by either side, with the names that authors have now.

The author at a follow's other end may not have signed up yet, as far as this store knows. Such a follow is left out,
and a part that is short of it is filled with further ones: mostly none, so mostly one round trip. While many are
missing, each part is twice the one before, so that a list of thousands takes few.
"""

from __future__ import annotations

from typing import Final

import msgspec

from cheeper_contracts.views import AUTHORS, FOLLOWS
from read_api.queries.follow_lists import ListedAuthor
from read_api.query_bus.paging import Listed, Part
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.pages import SIGNED_UP, Listing, listed
from read_api.stores.mongo.reader import Reader

LARGEST_PART: Final = 1_000


class _Names(msgspec.Struct, frozen=True):
    username: str
    name: str | None = None


class _Follow(msgspec.Struct, frozen=True):
    """A follow of a list; no author at its other end, or one."""

    followed_at: int
    other_id: str
    author: list[_Names]


class MongoFollows:
    """The view of follows."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def followers(self, author_id: str, part: Part, *, after: str | None) -> Listed[ListedAuthor]:
        """As `FollowerLists` says."""
        return await self._signed_up(_FOLLOWERS, author_id, part, after)

    async def following(self, author_id: str, part: Part, *, after: str | None) -> Listed[ListedAuthor]:
        """As `FollowingLists` says."""
        return await self._signed_up(_FOLLOWING, author_id, part, after)

    async def _signed_up(self, listing: Listing, author_id: str, part: Part, after: str | None) -> Listed[ListedAuthor]:
        authors: list[ListedAuthor] = []
        wanted, settled = part.most, True
        while True:
            pipeline = listing.part(author_id, SIGNED_UP, part)
            found = listed(await self._reader.first(AUTHORS, pipeline, after=after), _Follow)
            settled = settled and found.settled
            if found.entries is None:
                return Listed(entries=None, settled=settled)
            authors += [_listed_author(follow, names) for follow in found.entries for names in follow.author]
            if len(authors) >= wanted or len(found.entries) < part.most:
                return Listed(entries=authors[:wanted], settled=settled)
            last = found.entries[-1]
            part = Part(beyond=(last.followed_at, last.other_id), most=min(part.most * 2, LARGEST_PART))


def _listed_author(follow: _Follow, names: _Names) -> ListedAuthor:
    return ListedAuthor(
        author_id=follow.other_id, username=names.username, name=names.name, followed_at=follow.followed_at
    )


def _with_names(other: str) -> list[Document]:
    """Stages that complete follows by the author at their other end."""
    names = [{"$match": SIGNED_UP}, {"$project": {"username": 1, "name": 1}}]
    author = {"from": AUTHORS.name, "localField": other, "foreignField": "_id", "pipeline": names, "as": "author"}
    return [{"$lookup": author}, {"$project": {"followed_at": 1, "other_id": f"${other}", "author": 1}}]


_FOLLOWERS: Final = Listing(
    collection=FOLLOWS,
    owner="to_author_id",
    time="followed_at",
    tie="from_author_id",
    then=_with_names("from_author_id"),
)
_FOLLOWING: Final = Listing(
    collection=FOLLOWS,
    owner="from_author_id",
    time="followed_at",
    tie="to_author_id",
    then=_with_names("to_author_id"),
)
