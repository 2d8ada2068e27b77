"""The data that the two lists of follows share.

Names change, so the view reads them with each request. An author whose sign-up has not been projected is not listed.
"""

from __future__ import annotations

import msgspec

from cheeper_contracts.views import whole_seconds
from read_api.query_bus.paging import Position


class ListedAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """The author at the other end of a follow, and the time at which the follow began, in microseconds."""

    author_id: str
    username: str
    name: str | None = None
    followed_at: int


class FollowAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """An author in a list of follows."""

    author_id: str
    username: str
    name: str | None
    followed_at: str


class FollowAuthors(msgspec.Struct, frozen=True, kw_only=True):
    """A page of authors, the newest follow first."""

    authors: list[FollowAuthor]


def position_of_follow(author: ListedAuthor) -> Position:
    """Return an author's position in the list."""
    return author.followed_at, author.author_id


def as_follow_authors(authors: list[ListedAuthor]) -> FollowAuthors:
    """Return a page of the list as responses show it."""
    return FollowAuthors(
        authors=[
            FollowAuthor(
                author_id=author.author_id,
                username=author.username,
                name=author.name,
                followed_at=whole_seconds(author.followed_at),
            )
            for author in authors
        ]
    )
