"""The records of commands."""

from __future__ import annotations

import msgspec

from cheeper_contracts.views import COMMANDS, CommandRecord
from read_api.query_bus.query import Result
from read_api.stores.mongo.reader import Reader


class MongoCommands:
    """The view of commands."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def record(self, message_id: str, *, after: str | None) -> Result[CommandRecord]:
        """Implement `CommandDocuments`."""
        found = await self._reader.one(COMMANDS, {"_id": message_id}, after=after)
        return found.map(lambda document: msgspec.convert(document, CommandRecord))
