import asyncio

import pytest

from cheeper_runtime.concurrency.limit import ConcurrencyLimit, OverloadedError
from cheeper_runtime.concurrency.metrics import LimitsCollector, declare
from cheeper_runtime.metrics.page import new_registry


async def test_the_metrics_say_how_full_a_limit_is():
    """Work in flight, work that waits, refusals and the times in the queue have the limit's name as their label."""
    full = ConcurrencyLimit("database", at_once=1, queue_seconds=60)
    alone = ConcurrencyLimit("waits", at_once=1, queue_seconds=0)
    registry = new_registry(LimitsCollector(declare("test"), [full, alone]))

    def sample(name, limit="database", **labels):
        return registry.get_sample_value(f"test_limit_{name}", {"limit": limit, **labels})

    hanging = asyncio.Event()
    tasks = [asyncio.create_task(limit.run(hanging.wait)) for limit in (full, full, full, alone)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await alone.run(hanging.wait)
    assert (sample("places"), sample("in_flight"), sample("waiting"), sample("refused_total")) == (1, 1, 2, 0)
    assert sample("refused_total", "waits") == 1
    hanging.set()
    await asyncio.gather(*tasks)
    assert (sample("in_flight"), sample("waiting"), sample("queue_seconds_count")) == (0, 0, 2)
    assert sample("queue_seconds_bucket", le="+Inf") == 2
    assert sample("queue_seconds_sum") > 0
