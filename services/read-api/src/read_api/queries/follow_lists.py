"""What the two lists of follows share: an author of the list, and how it is shown.

Names change, so the view looks them up when it is asked. An author whose sign-up is not in yet is not in the list.
"""

from __future__ import annotations

import msgspec

from cheeper_contracts.views import whole_seconds
from read_api.query_bus.paging import Place


class ListedAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """An author at the other end of a follow, and when that began, in microseconds."""

    author_id: str
    username: str
    name: str | None = None
    followed_at: int


class FollowAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """An author as the lists show one."""

    author_id: str
    username: str
    name: str | None
    followed_at: str


class FollowAuthors(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, the newest follow first."""

    authors: list[FollowAuthor]


def place_of(author: ListedAuthor) -> Place:
    """An author's place in the list."""
    return author.followed_at, author.author_id


def shown(authors: list[ListedAuthor]) -> FollowAuthors:
    """A page of the list."""
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
