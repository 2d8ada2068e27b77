"""GET /author/{author_id}/followers, from MongoDB."""

from __future__ import annotations

from typing import Protocol

from read_api.queries.follow_lists import FollowAuthors, ListedAuthor, place_of, shown
from read_api.query_bus.paging import Listed, ListQuery, Part, page_of, part_of
from read_api.query_bus.query import Found, NotFoundError, author_not_found
from read_api.query_bus.read_your_writes import Waiter


class Followers(ListQuery, frozen=True, kw_only=True):
    """Who follows an author?"""

    author_id: str


class FollowerLists(Protocol):
    """The view of who follows whom, by the followed one."""

    async def followers(self, author_id: str, part: Part, *, after: str | None) -> Listed[ListedAuthor]:
        """Those who follow the author, the newest first; no list where there is no such author. Raises
        StoreAwayError.
        """


class ListFollowers:
    """Answers Followers."""

    def __init__(self, follows: FollowerLists, waiter: Waiter) -> None:
        self._follows = follows
        self.waiter = waiter

    async def look(self, query: Followers) -> Found[FollowAuthors]:
        """A page of the followers now."""
        listed = await self._follows.followers(query.author_id, part_of(query), after=query.after)
        return page_of(query, listed, place_of, shown)

    def missing(self, query: Followers) -> NotFoundError:
        """No such author."""
        return author_not_found(query.author_id)
