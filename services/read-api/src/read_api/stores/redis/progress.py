"""The progress of the views in Redis: the checkpoints of the live generation, and its lag reports."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views import CHECKPOINT
from cheeper_contracts.views.generations import FIRST, LIVE, prefix_of, registry_key
from cheeper_contracts.views.lag import lag_key, report_id
from read_api.ops.metrics import Progress
from read_api.query_bus.query import StoreUnavailableError
from read_api.stores.lag_reports import lag_by_partition


async def progress(client: Redis, prefix: str) -> Progress:
    """Read the progress. Raise StoreUnavailableError."""
    try:
        live = int(await client.hget(registry_key(prefix), LIVE) or FIRST)
        pipe = client.pipeline(transaction=False)
        for partition in range(PARTITIONS):
            pipe.hget(CHECKPOINT.key(prefix_of(prefix, live), partition), "sequence")
        sequences = await pipe.execute()
        seconds, microseconds = await client.time()
        reports = await _reports(client, prefix, live)
    except (RedisError, OSError) as error:
        raise StoreUnavailableError("redis", f"{type(error).__name__}: {error}") from error
    return Progress(
        live,
        {partition: int(sequence or 0) for partition, sequence in enumerate(sequences)},
        lag_by_partition(reports, seconds + microseconds / 1_000_000),
    )


async def _reports(client: Redis, prefix: str, live: int) -> dict[int, Any]:
    try:
        reports: dict[Any, Any] = await client.hgetall(lag_key(prefix))
    except ResponseError:  # a key of another type, or one that we may not read, is no report
        return {}
    ids = {partition: report_id(live, partition).encode() for partition in range(PARTITIONS)}
    return {partition: reports[name] for partition, name in ids.items() if name in reports}
