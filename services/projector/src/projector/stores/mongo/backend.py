"""The adapters of MongoDB."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from pymongo import MongoClient

from cheeper_contracts.views.generations import FIRST, database_of
from projector.settings import Settings
from projector.stores.mongo.access import ensure_users
from projector.stores.mongo.generations import MongoGenerations
from projector.stores.mongo.lag import MongoLagReports
from projector.stores.mongo.operations import Document
from projector.stores.mongo.parked import MongoParkedMessages
from projector.stores.mongo.store import MongoStore

_CONNECT_MS: Final = 2_000
_CALL_MS: Final = 5_000


class MongoBackend:
    """Makes what works on the MongoDB at MONGO_URL."""

    name = "mongo"
    has_tasks = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def store(self, generation: int = FIRST) -> MongoStore:
        """Make the documents of a generation."""
        return MongoStore(self._client(), self._settings.mongo_database, generation)

    def generations(self) -> MongoGenerations:
        """Make the registry of generations."""
        return MongoGenerations(self._client(), self._settings.mongo_database)

    def parked_messages(self, generation: int = FIRST) -> MongoParkedMessages:
        """Make the parked messages of a generation."""
        return MongoParkedMessages(self._client(), database_of(self._settings.mongo_database, generation))

    def lag_reports(self) -> MongoLagReports:
        """Make the lag reports of all generations."""
        return MongoLagReports(self._client(), self._settings.mongo_database)

    def accepted_commands(self) -> None:
        """Return None: accepted commands are in Redis alone."""

    def users(self, passwords: Path) -> str:
        """Make the users by a client that may; nothing is left to do."""
        with closing(self._client()) as client:
            ensure_users(client, self._settings.mongo_database, passwords)
        return ""

    def _client(self) -> MongoClient[Document]:
        return MongoClient(
            self._settings.mongo_url,
            serverSelectionTimeoutMS=_CONNECT_MS,
            connectTimeoutMS=_CONNECT_MS,
            socketTimeoutMS=_CALL_MS,
            appname="projector",
        )
