"""GET /author/{author_id}/following, from MongoDB."""

from __future__ import annotations

from typing import Protocol

from read_api.queries.follow_lists import FollowAuthors, ListedAuthor, place_of, shown
from read_api.query_bus.paging import Listed, ListQuery, Part, page_of, part_of
from read_api.query_bus.query import Found, NotFoundError, author_not_found
from read_api.query_bus.read_your_writes import Waiter


class Following(ListQuery, frozen=True, kw_only=True):
    """Whom does an author follow?"""

    author_id: str


class FollowingLists(Protocol):
    """The view of who follows whom, by the follower."""

    async def following(self, author_id: str, part: Part, *, after: str | None) -> Listed[ListedAuthor]:
        """Those whom the author follows, the newest first; no list where there is no such author. Raises
        StoreAwayError.
        """


class ListFollowing:
    """Answers Following."""

    def __init__(self, follows: FollowingLists, waiter: Waiter) -> None:
        self._follows = follows
        self.waiter = waiter

    async def look(self, query: Following) -> Found[FollowAuthors]:
        """A page of the followed authors now."""
        listed = await self._follows.following(query.author_id, part_of(query), after=query.after)
        return page_of(query, listed, place_of, shown)

    def missing(self, query: Following) -> NotFoundError:
        """No such author."""
        return author_not_found(query.author_id)
