"""GET /author/{author_id}/followers-counter, from Redis."""

from __future__ import annotations

from typing import Protocol

import msgspec

from read_api.queries.shapes import AUTHOR
from read_api.query_bus.query import Query, Result


class FollowersCounter(Query, frozen=True, kw_only=True):
    """The number of followers of an author."""

    subject = AUTHOR

    author_id: str


class NumberOfFollowers(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An author's number of followers, spelled as in the book."""

    author_id: str
    author_username: str
    number_of_followers: int


class Counters(Protocol):
    """The view of counters."""

    async def followers(self, author_id: str, *, after: str | None) -> Result[NumberOfFollowers]:
        """Return the number of followers of an author who has signed up. Raise StoreUnavailableError."""


async def count_followers(query: FollowersCounter, counters: Counters) -> Result[NumberOfFollowers]:
    """Return the author's number of followers."""
    return await counters.followers(query.author_id, after=query.after)
