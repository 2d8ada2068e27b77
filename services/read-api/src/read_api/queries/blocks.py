"""GET /author/{author_id}/blocks, from MongoDB, for the author alone."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cheeper_contracts.views import whole_seconds
from read_api.queries.listed_authors import ListedAuthor, position_of
from read_api.queries.shapes import AUTHOR
from read_api.query_bus.paging import ListQuery, Slice, page_of, slice_of
from read_api.query_bus.query import Result


class Blocks(ListQuery, frozen=True, kw_only=True):
    """The authors whom an author blocks, newest first."""

    subject = AUTHOR
    owner = "author_id"

    author_id: str


class BlockedAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """An author who is blocked."""

    author_id: str
    username: str
    name: str | None
    blocked_at: str


class BlockedAuthors(msgspec.Struct, frozen=True, kw_only=True):
    """A page of authors, the newest block first."""

    authors: list[BlockedAuthor]


class BlockLists(Protocol):
    """The view of blocks by who blocks."""

    async def blocked(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedAuthor]]:
        """Return a part of the authors whom the author blocks, newest first. Raise StoreUnavailableError."""


async def list_blocks(query: Blocks, hidden: BlockLists) -> Result[BlockedAuthors]:
    """Return a page of the blocked authors."""
    found = await hidden.blocked(query.author_id, slice_of(query), after=query.after)
    return page_of(query, found, position_of, _as_page)


def _as_page(authors: list[ListedAuthor]) -> BlockedAuthors:
    return BlockedAuthors(
        authors=[
            BlockedAuthor(
                author_id=author.author_id,
                username=author.username,
                name=author.name,
                blocked_at=whole_seconds(author.since),
            )
            for author in authors
        ]
    )
