"""GET /author/{author_id}/mutes, from MongoDB, for the author alone."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cheeper_contracts.views import whole_seconds
from read_api.queries.listed_authors import ListedAuthor, position_of
from read_api.queries.shapes import AUTHOR
from read_api.query_bus.paging import ListQuery, Slice, page_of, slice_of
from read_api.query_bus.query import Result


class Mutes(ListQuery, frozen=True, kw_only=True):
    """The authors whom an author mutes, newest first."""

    subject = AUTHOR
    owner = "author_id"

    author_id: str


class MutedAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """An author who is muted."""

    author_id: str
    username: str
    name: str | None
    muted_at: str


class MutedAuthors(msgspec.Struct, frozen=True, kw_only=True):
    """A page of authors, the newest mute first."""

    authors: list[MutedAuthor]


class MuteLists(Protocol):
    """The view of mutes by who mutes."""

    async def muted(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedAuthor]]:
        """Return a part of the authors whom the author mutes, newest first. Raise StoreUnavailableError."""


async def list_mutes(query: Mutes, hidden: MuteLists) -> Result[MutedAuthors]:
    """Return a page of the muted authors."""
    found = await hidden.muted(query.author_id, slice_of(query), after=query.after)
    return page_of(query, found, position_of, _as_page)


def _as_page(authors: list[ListedAuthor]) -> MutedAuthors:
    return MutedAuthors(
        authors=[
            MutedAuthor(
                author_id=author.author_id,
                username=author.username,
                name=author.name,
                muted_at=whole_seconds(author.since),
            )
            for author in authors
        ]
    )
