"""Authors, by id and by username."""

from __future__ import annotations

import msgspec

from cheeper_contracts.views import AUTHORS, AuthorDocument
from read_api.query_bus.query import Result
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.reader import Reader


class MongoAuthors:
    """The view of authors."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def author(self, author_id: str, *, after: str | None) -> Result[AuthorDocument]:
        """Implement `Authors`."""
        return (await self._reader.one(AUTHORS, {"_id": author_id}, after=after)).map(_as_author)

    async def named(self, username_folded: str, *, after: str | None) -> Result[AuthorDocument]:
        """Implement `AuthorsByUsername`."""
        return (await self._reader.one(AUTHORS, {"username_folded": username_folded}, after=after)).map(_as_author)


def _as_author(document: Document) -> AuthorDocument:
    return msgspec.convert(document, AuthorDocument)
