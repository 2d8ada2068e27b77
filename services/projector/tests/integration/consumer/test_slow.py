"""A Kafka that is slow, or does not respond for a while, behind a proxy: late but right, and nothing twice."""

import os
import uuid

import pytest

from cheeper_local.testing import until

pytestmark = [
    pytest.mark.extended,
    pytest.mark.proves(guarantee="transient-faults"),
    pytest.mark.skipif(os.environ.get("BROKER") == "tansu", reason="Tansu learns in another way where clients come"),
]

SLOW = {"late both ways": {"delay": 0.05}, "throttled": {"rate": 50_000}}
UNAVAILABLE = {"responds too late": {"delay_back": 12.0}, "stalled": {"stalled": True}}


@pytest.fixture
def kafka_bootstrap(slow_kafka):
    return slow_kafka.address


@pytest.fixture
def topic_prefix():
    """Delete nothing, because the broker ends with the module."""
    return f"t{uuid.uuid4().hex}."


@pytest.mark.parametrize("how", SLOW)
def test_a_store_on_a_slow_kafka_is_late_but_right(running, kafka, slow_kafka, story, author, followers, how):
    """A slow log is waited for and never counts as unavailable; every message is applied once."""
    one = author()
    story.signed(one)
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == story.whole())
        until(lambda: consumer.reasons() == [])
        before = len(story.all_messages())
        for _ in range(20):
            story.followed(author(), one)
        with slow_kafka.slow(**SLOW[how]):
            kafka.send(story.all_messages()[before:])
            until(lambda: consumer.sequences() == story.whole() or consumer.failure or consumer.reasons())
            assert consumer.reasons() == []
        assert consumer.failure is None
        assert followers(one) == 20
        assert consumer.store.status().parked == 0


@pytest.mark.parametrize("how", UNAVAILABLE)
def test_a_store_waits_for_an_unresponsive_kafka(running, kafka, slow_kafka, story, author, followers, how):
    """Readiness says so meanwhile; then all that came is applied once."""
    one = author()
    story.signed(one)
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == story.whole())
        until(lambda: consumer.reasons() == [])
        with slow_kafka.slow(**UNAVAILABLE[how]):
            until(consumer.reasons)
        before = len(story.all_messages())
        for _ in range(5):
            story.followed(author(), one)
        kafka.send(story.all_messages()[before:])
        until(lambda: (consumer.sequences() == story.whole() and consumer.reasons() == []) or consumer.failure)
        assert consumer.failure is None
        assert followers(one) == 5
        assert consumer.store.status().parked == 0
