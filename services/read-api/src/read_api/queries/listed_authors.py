"""The entry that the lists of authors share: those of follows, mutes and blocks.

Names change, so the view reads them with each request. An author whose sign-up has not been projected is not listed.
"""

from __future__ import annotations

import msgspec

from read_api.query_bus.paging import Position


class ListedAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """The other author of a follow, a mute or a block, and the time at which that began, in microseconds."""

    author_id: str
    username: str
    name: str | None = None
    since: int


def position_of(author: ListedAuthor) -> Position:
    """Return an author's position in its list."""
    return author.since, author.author_id
