"""The progress of the documents in MongoDB: the checkpoints of the live generation, and its lag reports."""

from __future__ import annotations

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views import CHECKPOINTS
from cheeper_contracts.views.generations import FIRST, LIVE, REGISTRY, REGISTRY_ID, database_of
from cheeper_contracts.views.lag import LAG, MONGO_NOW, report_id
from read_api.ops.metrics import Progress
from read_api.query_bus.query import StoreUnavailableError
from read_api.stores.lag_reports import lag_by_partition
from read_api.stores.mongo.generations import Document


async def progress(client: AsyncMongoClient[Document], database: str) -> Progress:
    """Read the progress. Raise StoreUnavailableError."""
    try:
        registry = await client[database][REGISTRY].find_one({"_id": REGISTRY_ID}) or {}
        live = int(registry.get(LIVE, FIRST))
        checkpoints = await client[database_of(database, live)][CHECKPOINTS.name].find().to_list()
        partitions = {report_id(live, partition): partition for partition in range(PARTITIONS)}
        pipeline: list[Document] = [{"$match": {"_id": {"$in": list(partitions)}}}, {"$set": {"now": MONGO_NOW}}]
        reports = await (await client[database][LAG].aggregate(pipeline)).to_list()
    except PyMongoError as error:
        raise StoreUnavailableError("mongo", f"{type(error).__name__}: {error}") from error
    return Progress(
        live,
        dict.fromkeys(range(PARTITIONS), 0) | {each["_id"]: int(each["sequence"]) for each in checkpoints},
        lag_by_partition({partitions[each["_id"]]: each for each in reports}, reports[0]["now"] if reports else 0.0),
    )
