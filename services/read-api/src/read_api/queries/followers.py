"""GET /author/{author_id}/followers, from MongoDB."""

from __future__ import annotations

from typing import Protocol

from read_api.queries.follow_lists import FollowAuthors, as_follow_authors
from read_api.queries.listed_authors import ListedAuthor, position_of
from read_api.queries.shapes import AUTHOR
from read_api.query_bus.paging import ListQuery, Slice, page_of, slice_of
from read_api.query_bus.query import Result


class Followers(ListQuery, frozen=True, kw_only=True):
    """The followers of an author, newest first."""

    subject = AUTHOR
    owner = "author_id"

    author_id: str


class FollowerLists(Protocol):
    """The view of follows by the followed author."""

    async def followers(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedAuthor]]:
        """Return a part of the author's followers, newest first. Raise StoreUnavailableError."""


async def list_followers(query: Followers, follows: FollowerLists) -> Result[FollowAuthors]:
    """Return a page of the followers."""
    found = await follows.followers(query.author_id, slice_of(query), after=query.after)
    return page_of(query, found, position_of, as_follow_authors)
