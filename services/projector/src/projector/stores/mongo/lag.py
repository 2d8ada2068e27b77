"""Lag reports in MongoDB: a document each."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from pymongo import MongoClient, UpdateOne

from cheeper_contracts.lag import LAG, MONGO_NOW, Lag
from projector.stores.mongo.faults import passing_faults
from projector.stores.mongo.operations import Document


class MongoLagReports:
    """Of the generations of an installation, the first of which is in this database."""

    def __init__(self, client: MongoClient[Document], database: str) -> None:
        self._client = client
        self._collection = client[database][LAG]

    def tell(self, lags: Mapping[str, Lag]) -> None:
        """Keep these instead of those before. Raises StoreError."""
        puts = [
            UpdateOne({"_id": name}, [{"$set": {**msgspec.structs.asdict(lag), "told_at": MONGO_NOW}}], upsert=True)
            for name, lag in lags.items()
        ]
        with passing_faults():
            self._collection.bulk_write(puts, ordered=False)

    def close(self) -> None:
        """Gives its connections back."""
        self._client.close()
