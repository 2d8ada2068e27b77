"""The authors whom an author mutes, and those whom it blocks."""

from __future__ import annotations

from typing import Final

from cheeper_contracts.views import BLOCKS, MUTES
from read_api.queries.listed_authors import ListedAuthor
from read_api.query_bus.paging import Slice
from read_api.query_bus.query import Result
from read_api.stores.mongo.pairs import pairs_of, signed_up
from read_api.stores.mongo.reader import Reader


class MongoHidden:
    """The view of mutes and blocks, by who mutes or blocks."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def muted(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedAuthor]]:
        """Implement `MuteLists`."""
        return await signed_up(self._reader, _MUTED, author_id, part, after)

    async def blocked(self, author_id: str, part: Slice, *, after: str | None) -> Result[list[ListedAuthor]]:
        """Implement `BlockLists`."""
        return await signed_up(self._reader, _BLOCKED, author_id, part, after)


_MUTED: Final = pairs_of(MUTES, "author_id", "muted_id", "muted_at")
_BLOCKED: Final = pairs_of(BLOCKS, "author_id", "blocked_id", "blocked_at")
