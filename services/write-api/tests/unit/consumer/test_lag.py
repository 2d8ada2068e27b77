"""The lag of a consumer, in messages and in seconds."""

import time

import pytest
from prometheus_client import CollectorRegistry

from cheeper_local.testing import eventually
from write_api.consumer.lag import Lag
from write_api.db.consumer_checkpoints import Backlog
from write_api.ops.metrics import ConsumerMetrics


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def lag(topic, model, registry):
    return Lag(topic, model.count, ConsumerMetrics(registry))


@pytest.fixture
def metric(registry):
    return lambda name, **labels: registry.get_sample_value(f"cheeper_write_api_{name}", labels)


async def test_the_lag_counts_from_the_next_message_to_the_high_water_mark(topic, lag, metric):
    """An unknown offset is the first one of the partition; what is consumed no longer counts."""
    topic.send("1", "2", "3")
    lag.assigned({0: None})
    await lag.poll()
    assert metric("lag_messages") == 3
    lag.consumed(topic.log[:2])
    await lag.poll()
    assert (metric("lag_messages"), metric("consumed_messages_total"), metric("consumed_batches_total")) == (1, 2, 1)


async def test_the_lag_in_seconds_is_the_age_of_the_oldest_message_in_flight(topic, lag, metric):
    """It is 0 at the end of the log."""
    topic.send("1")
    lag.received(topic.log)
    assert metric("lag_seconds") == pytest.approx(time.time() - 1, abs=60)
    lag.received([])
    assert metric("lag_seconds") == 0


async def test_an_unavailable_server_leaves_its_last_value(topic, model, lag, metric):
    """The other server's value goes on changing."""
    topic.send("1")
    lag.assigned({0: 0})
    await lag.poll()
    topic.available = False
    topic.send("2")
    await lag.poll()
    assert (metric("lag_messages"), metric("dead_letters", topic="cheeper.commands")) == (1, 0)
    topic.available, model.available = True, False
    await lag.poll()
    assert metric("lag_messages") == 2


async def test_the_loop_keeps_the_lag(topic, model, consumer, running, lag, metric):
    """Assignment, batches and the end of the log reach the metrics."""
    topic.send("1", "2")
    async with running(consumer(lag=lag)):
        await eventually(lambda: model.done == ["1", "2"] and metric("lag_seconds") == 0)
    await lag.poll()
    assert (metric("lag_messages"), metric("consumed_messages_total")) == (0, 2)


async def test_what_is_overdue_reaches_the_metrics(topic, model, registry, metric):
    """The number of overdue commands is exposed, and the time at which the topic was found to be another one."""
    found = Backlog(overdue=0, replaced_at=None)

    async def read_backlog():
        return found

    lag = Lag(topic, model.count, ConsumerMetrics(registry), read_backlog)
    await lag.poll()
    assert (metric("overdue_commands"), metric("topic_replaced_timestamp_seconds")) == (0, 0)
    found = Backlog(overdue=3, replaced_at=1_647_292_130.5)
    await lag.poll()
    assert (metric("overdue_commands"), metric("topic_replaced_timestamp_seconds")) == (3, 1_647_292_130.5)
