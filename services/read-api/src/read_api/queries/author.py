"""GET /author/{author_id}, from MongoDB."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cheeper_contracts.views import AuthorDocument, whole_seconds
from read_api.query_bus.query import Found, NotFoundError, Query, author_not_found
from read_api.query_bus.read_your_writes import Waiter


class Author(Query, frozen=True, kw_only=True):
    """Who is an author?"""

    author_id: str


class AuthorProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The answer; `followers`, `following` and `cheeps` are counts."""

    author_id: str
    username: str
    name: str | None
    bio: str | None
    location: str | None
    website: str | None
    birth_date: str | None
    signed_up_at: str
    followers: int
    following: int
    cheeps: int


class Authors(Protocol):
    """The view of authors."""

    async def author(self, author_id: str, *, after: str | None) -> tuple[AuthorDocument | None, bool]:
        """The author's document, and whether `after` is settled in it. Raises StoreAwayError."""


class ShowAuthor:
    """Answers Author."""

    def __init__(self, authors: Authors, waiter: Waiter) -> None:
        self._authors = authors
        self.waiter = waiter

    async def look(self, query: Author) -> Found[AuthorProfile]:
        """The author's profile and counts now."""
        document, settled = await self._authors.author(query.author_id, after=query.after)
        return Found(data=None if document is None else profile_of(document), settled=settled)

    def missing(self, query: Author) -> NotFoundError:
        """No such author."""
        return author_not_found(query.author_id)


def profile_of(document: AuthorDocument) -> AuthorProfile | None:
    """The author as answers show one; none while only what others did to the author is in."""
    if document.username is None or document.signed_up_at is None:
        return None
    return AuthorProfile(
        author_id=document.author_id,
        username=document.username,
        name=document.name,
        bio=document.bio,
        location=document.location,
        website=document.website,
        birth_date=document.birth_date,
        signed_up_at=whole_seconds(document.signed_up_at),
        followers=document.followers,
        following=document.following,
        cheeps=document.cheeps,
    )
