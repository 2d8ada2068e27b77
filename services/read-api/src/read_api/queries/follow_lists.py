"""The data that the two lists of follows share."""

from __future__ import annotations

import msgspec

from cheeper_contracts.views import whole_seconds
from read_api.queries.listed_authors import ListedAuthor


class FollowAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """An author in a list of follows."""

    author_id: str
    username: str
    name: str | None
    followed_at: str


class FollowAuthors(msgspec.Struct, frozen=True, kw_only=True):
    """A page of authors, the newest follow first."""

    authors: list[FollowAuthor]


def as_follow_authors(authors: list[ListedAuthor]) -> FollowAuthors:
    """Return a page of the list as responses show it."""
    return FollowAuthors(
        authors=[
            FollowAuthor(
                author_id=author.author_id,
                username=author.username,
                name=author.name,
                followed_at=whole_seconds(author.since),
            )
            for author in authors
        ]
    )
