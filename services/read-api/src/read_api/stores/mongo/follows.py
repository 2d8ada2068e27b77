"""Who follows whom, by either side, with the names that authors have now."""

from __future__ import annotations

from typing import Final

from cheeper_contracts.views import AUTHORS, FOLLOWS
from read_api.queries.follow_lists import ListedAuthor
from read_api.queries.pages import Listed, Part
from read_api.stores.mongo.pages import SIGNED_UP, Listing, listed
from read_api.stores.mongo.reader import Document, Reader


class MongoFollows:
    """The view of follows."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def followers(self, author_id: str, part: Part, *, after: str | None) -> Listed[ListedAuthor]:
        """As `FollowerLists` says."""
        return listed(
            await self._reader.first(AUTHORS, _FOLLOWERS.part(author_id, SIGNED_UP, part), after=after), ListedAuthor
        )

    async def following(self, author_id: str, part: Part, *, after: str | None) -> Listed[ListedAuthor]:
        """As `FollowingLists` says."""
        return listed(
            await self._reader.first(AUTHORS, _FOLLOWING.part(author_id, SIGNED_UP, part), after=after), ListedAuthor
        )


def _with_author(other: str) -> list[Document]:
    """Completes a follow by the author at its other end, and leaves it out while that author's sign-up is not in."""
    names = [{"$match": SIGNED_UP}, {"$project": {"username": 1, "name": 1}}]
    return [
        {
            "$lookup": {
                "from": AUTHORS.name,
                "localField": other,
                "foreignField": "_id",
                "pipeline": names,
                "as": "author",
            }
        },
        {"$unwind": "$author"},
        {
            "$project": {
                "author_id": f"${other}",
                "username": "$author.username",
                "name": "$author.name",
                "followed_at": 1,
            }
        },
    ]


_FOLLOWERS: Final = Listing(
    collection=FOLLOWS,
    owner="to_author_id",
    time="followed_at",
    tie="from_author_id",
    then=_with_author("from_author_id"),
)
_FOLLOWING: Final = Listing(
    collection=FOLLOWS,
    owner="from_author_id",
    time="followed_at",
    tie="to_author_id",
    then=_with_author("to_author_id"),
)
