"""Follows, by either side."""

from __future__ import annotations

from typing import Final

from cheeper_contracts.views import FOLLOWS
from read_api.queries.listed_authors import ListedAuthor
from read_api.query_bus.paging import Slice
from read_api.query_bus.query import Result
from read_api.stores.mongo.listing import Listing
from read_api.stores.mongo.pairs import Pair, pairs_of, signed_up
from read_api.stores.mongo.reader import Reader


class MongoFollows:
    """The view of follows."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def followers(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedAuthor]]:
        """Implement `FollowerLists`."""
        return await signed_up(self._reader, _FOLLOWERS, author_id, part, after)

    async def following(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedAuthor]]:
        """Implement `FollowingLists`."""
        return await signed_up(self._reader, _FOLLOWING, author_id, part, after)


def _follows_of(owner: str, other: str, count: str) -> Listing[Pair]:
    """Return the list of the follows of `owner`, whose document has their `count`."""
    return pairs_of(FOLLOWS, owner, other, "followed_at", total={"$ifNull": [f"${count}", 0]})


_FOLLOWERS: Final = _follows_of("to_author_id", "from_author_id", "followers")
_FOLLOWING: Final = _follows_of("from_author_id", "to_author_id", "following")
