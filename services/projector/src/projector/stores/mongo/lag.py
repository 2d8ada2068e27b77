"""Lag reports in MongoDB, a document each."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from pymongo import MongoClient, UpdateOne

from cheeper_contracts.views.lag import LAG, MONGO_NOW, Lag
from projector.stores.mongo.faults import passing_faults
from projector.stores.mongo.operations import Document


class MongoLagReports:
    """The lag reports of all generations. `database` is the first one's."""

    def __init__(self, client: MongoClient[Document], database: str) -> None:
        self._client = client
        self._collection = client[database][LAG]

    def write(self, lags: Mapping[str, Lag]) -> None:
        """Replace the reports before. Raise StoreError."""
        puts = [
            UpdateOne({"_id": name}, [{"$set": {**msgspec.structs.asdict(lag), "told_at": MONGO_NOW}}], upsert=True)
            for name, lag in lags.items()
        ]
        with passing_faults():
            self._collection.bulk_write(puts, ordered=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
