"""Authors, by id and by username."""

from __future__ import annotations

import msgspec

from cheeper_contracts.views import AUTHORS, AuthorDocument
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.reader import Reader


class MongoAuthors:
    """The view of authors."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def author(self, author_id: str, *, after: str | None) -> tuple[AuthorDocument | None, bool]:
        """As `Authors` says."""
        return _author(await self._reader.one(AUTHORS, {"_id": author_id}, after=after))

    async def named(self, username_folded: str, *, after: str | None) -> tuple[AuthorDocument | None, bool]:
        """As `AuthorsByUsername` says."""
        return _author(await self._reader.one(AUTHORS, {"username_folded": username_folded}, after=after))


def _author(found: tuple[Document | None, bool]) -> tuple[AuthorDocument | None, bool]:
    document, settled = found
    return (None if document is None else msgspec.convert(document, AuthorDocument)), settled
