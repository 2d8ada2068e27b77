"""GET /author/{author_id}/following, from MongoDB."""

from __future__ import annotations

from typing import Protocol

from read_api.queries.follow_lists import FollowAuthors, as_follow_authors
from read_api.queries.listed_authors import ListedAuthor, position_of
from read_api.queries.shapes import AUTHOR
from read_api.query_bus.paging import ListQuery, Slice, page_of, slice_of
from read_api.query_bus.query import Result


class Following(ListQuery, frozen=True, kw_only=True):
    """The authors whom an author follows, newest first."""

    subject = AUTHOR
    owner = "author_id"

    author_id: str


class FollowingLists(Protocol):
    """The view of follows by the follower."""

    async def following(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedAuthor]]:
        """Return a part of the authors whom the author follows, newest first. Raise StoreUnavailableError."""


async def list_following(query: Following, follows: FollowingLists) -> Result[FollowAuthors]:
    """Return a page of the followed authors."""
    found = await follows.following(query.author_id, slice_of(query), after=query.after)
    return page_of(query, found, position_of, as_follow_authors)
