"""How far each store is: one look for each scrape, at the live generation's checkpoints and lag reports."""

from __future__ import annotations

from typing import Any

import msgspec
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from cheeper_contracts.generations import (
    FIRST,
    LIVE,
    REGISTRY,
    REGISTRY_ID,
    database_of,
    prefix_of,
    registry_key,
)
from cheeper_contracts.lag import LAG, LagReport, lag_key, report_id
from cheeper_contracts.views import CHECKPOINT, CHECKPOINTS
from read_api.metrics import Applied
from read_api.queries.asking import StoreAwayError

PARTITIONS = 8
"""As `cheeper_contracts.topics` has it, which read-api does not import; a look at one too few is no harm."""


async def of_redis(client: Redis, prefix: str) -> Applied:
    """The hot views. Raises StoreAwayError."""
    try:
        live = int(await client.hget(registry_key(prefix), LIVE) or FIRST)
        pipe = client.pipeline(transaction=False)
        for partition in range(PARTITIONS):
            pipe.hget(CHECKPOINT.key(prefix_of(prefix, live), partition), "sequence")
        pipe.hmget(lag_key(prefix), [report_id(live, partition) for partition in range(PARTITIONS)])
        *found, told = await pipe.execute()
    except (RedisError, OSError) as error:
        raise StoreAwayError("redis", f"{type(error).__name__}: {error}") from error
    reports = {at: msgspec.json.decode(text, type=LagReport) for at, text in enumerate(told) if text is not None}
    return Applied(live, {partition: int(sequence or 0) for partition, sequence in enumerate(found)}, reports)


async def of_mongo(client: AsyncMongoClient[dict[str, Any]], database: str) -> Applied:
    """The documents. Raises StoreAwayError."""
    try:
        registry = await client[database][REGISTRY].find_one({"_id": REGISTRY_ID}) or {}
        live = int(registry.get(LIVE, FIRST))
        found = await client[database_of(database, live)][CHECKPOINTS.name].find().to_list()
        wanted = {report_id(live, partition): partition for partition in range(PARTITIONS)}
        told = await client[database][LAG].find({"_id": {"$in": list(wanted)}}).to_list()
    except PyMongoError as error:
        raise StoreAwayError("mongo", f"{type(error).__name__}: {error}") from error
    sequences = dict.fromkeys(range(PARTITIONS), 0) | {each["_id"]: int(each["sequence"]) for each in found}
    return Applied(live, sequences, {wanted[each["_id"]]: msgspec.convert(each, LagReport) for each in told})
