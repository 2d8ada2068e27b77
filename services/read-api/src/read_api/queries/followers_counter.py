"""GET /author/{author_id}/followers-counter, from Redis."""

from __future__ import annotations

from typing import Protocol

import msgspec

from read_api.query_bus.query import Found, NotFoundError, Query, author_not_found
from read_api.query_bus.read_your_writes import Waiter


class FollowersCounter(Query, frozen=True, kw_only=True):
    """How many follow an author?"""

    author_id: str


class NumberOfFollowers(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer, spelled as the book spells it."""

    author_id: str
    author_username: str
    number_of_followers: int


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What a look-up gives: no username where the author has not signed up."""

    username: str | None
    followers: int
    settled: bool


class Counters(Protocol):
    """The view of counters."""

    async def followers(self, author_id: str, *, after: str | None) -> Counted:
        """An author's username and number of followers. Raises StoreAwayError."""


class CountFollowers:
    """Answers FollowersCounter."""

    def __init__(self, counters: Counters, waiter: Waiter) -> None:
        self._counters = counters
        self.waiter = waiter

    async def look(self, query: FollowersCounter) -> Found[NumberOfFollowers]:
        """The author's number of followers now."""
        counted = await self._counters.followers(query.author_id, after=query.after)
        if counted.username is None:
            return Found(data=None, settled=counted.settled)
        return Found(
            data=NumberOfFollowers(
                author_id=query.author_id, author_username=counted.username, number_of_followers=counted.followers
            ),
            settled=counted.settled,
        )

    def missing(self, query: FollowersCounter) -> NotFoundError:
        """No such author."""
        return author_not_found(query.author_id)
