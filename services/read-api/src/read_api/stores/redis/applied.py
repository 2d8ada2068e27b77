"""How far each store is: one look for each scrape, at the live generation's checkpoints and lag reports."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from cheeper_contracts.generations import (
    FIRST,
    LIVE,
    REGISTRY,
    REGISTRY_ID,
    database_of,
    prefix_of,
    registry_key,
)
from cheeper_contracts.lag import LAG, MONGO_NOW, Lag, LagReport, lag_key, report_id
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views import CHECKPOINT, CHECKPOINTS
from read_api.ops.metrics import Applied
from read_api.query_bus.query import StoreAwayError


async def of_redis(client: Redis, prefix: str) -> Applied:
    """The hot views. Raises StoreAwayError."""
    try:
        live = int(await client.hget(registry_key(prefix), LIVE) or FIRST)
        pipe = client.pipeline(transaction=False)
        for partition in range(PARTITIONS):
            pipe.hget(CHECKPOINT.key(prefix_of(prefix, live), partition), "sequence")
        found = await pipe.execute()
        seconds, microseconds = await client.time()
        told = await _told(client, prefix, live)
    except (RedisError, OSError) as error:
        raise StoreAwayError("redis", f"{type(error).__name__}: {error}") from error
    return Applied(
        live,
        {partition: int(sequence or 0) for partition, sequence in enumerate(found)},
        _lags(told, seconds + microseconds / 1_000_000),
    )


async def of_mongo(client: AsyncMongoClient[dict[str, Any]], database: str) -> Applied:
    """The documents. Raises StoreAwayError."""
    try:
        registry = await client[database][REGISTRY].find_one({"_id": REGISTRY_ID}) or {}
        live = int(registry.get(LIVE, FIRST))
        found = await client[database_of(database, live)][CHECKPOINTS.name].find().to_list()
        ids = {report_id(live, partition): partition for partition in range(PARTITIONS)}
        wanted: list[dict[str, Any]] = [{"$match": {"_id": {"$in": list(ids)}}}, {"$set": {"now": MONGO_NOW}}]
        told = await (await client[database][LAG].aggregate(wanted)).to_list()
    except PyMongoError as error:
        raise StoreAwayError("mongo", f"{type(error).__name__}: {error}") from error
    return Applied(
        live,
        dict.fromkeys(range(PARTITIONS), 0) | {each["_id"]: int(each["sequence"]) for each in found},
        _lags({ids[each["_id"]]: each for each in told}, told[0]["now"] if told else 0.0),
    )


async def _told(client: Redis, prefix: str, live: int) -> dict[int, Any]:
    """The reports that there are, by partition."""
    try:
        told = await client.hgetall(lag_key(prefix))
    except ResponseError:  # no hash, or not ours to read: then nobody has told us anything
        return {}
    ids = {partition: report_id(live, partition).encode() for partition in range(PARTITIONS)}
    return {partition: told[each] for partition, each in ids.items() if each in told}


def _lags(told: Mapping[int, Any], now: float) -> dict[int, Lag]:
    """What the reports say at that time of their store's. One that cannot be read is none."""
    found = {}
    for partition, each in told.items():
        with suppress(msgspec.MsgspecError):
            found[partition] = _report(each).at(now)
    return found


def _report(told: Any) -> LagReport:
    if isinstance(told, dict):
        return msgspec.convert(told, LagReport)
    return msgspec.json.decode(told, type=LagReport)
