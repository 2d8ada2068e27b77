"""GET /author/{author_id}, from MongoDB."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cheeper_contracts.views import AuthorDocument, whole_seconds
from read_api.queries.shapes import AUTHOR
from read_api.query_bus.query import Query, Result


class Author(Query, frozen=True, kw_only=True):
    """The profile and counts of an author."""

    subject = AUTHOR

    author_id: str


class AuthorProfile(msgspec.Struct, frozen=True, kw_only=True):
    """An author; `followers`, `following` and `cheeps` are counts."""

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

    async def author(self, author_id: str, *, after: str | None) -> Result[AuthorDocument]:
        """Return the author's document. Raise StoreUnavailableError."""


async def show_author(query: Author, authors: Authors) -> Result[AuthorProfile]:
    """Return the author's profile."""
    return (await authors.author(query.author_id, after=query.after)).map(profile_of)


def profile_of(document: AuthorDocument) -> AuthorProfile | None:
    """Return the author as responses show it, or None if the sign-up has not been projected yet."""
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
