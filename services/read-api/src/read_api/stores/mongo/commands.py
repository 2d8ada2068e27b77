"""What became of commands."""

from __future__ import annotations

import msgspec

from cheeper_contracts.views import COMMANDS, CommandRecord
from read_api.stores.mongo.reader import Reader


class MongoCommands:
    """The view of commands."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def record(self, message_id: str, *, after: str | None) -> tuple[CommandRecord | None, bool]:
        """As `CommandDocuments` says."""
        document, settled = await self._reader.one(COMMANDS, {"_id": message_id}, after=after)
        return (None if document is None else msgspec.convert(document, CommandRecord)), settled
