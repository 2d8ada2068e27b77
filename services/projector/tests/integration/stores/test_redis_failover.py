"""The replica of a Redis is promoted while events come without pause, and lacks what was written last."""

import sys
import time

import pytest
from projector_testing.failover import Load

from cheeper_local.testing import until

pytestmark = [pytest.mark.extended, pytest.mark.proves(guarantee="failovers"), pytest.mark.takes(seconds=8)]


@pytest.fixture
def redis_url(redis_pair):
    return redis_pair.url


@pytest.fixture
def redis_prefix():
    """Remove nothing, because the servers end with the test."""
    return ""


@pytest.mark.parametrize("running", ["redis"], indirect=True)
def test_a_promotion_that_lost_writes_is_noticed(running, redis_pair, kafka, story, author, followers, capsys):
    """The projector applies again what the promoted replica lacks, and every event counts once.

    Broken by a consumer that reads its store's checkpoint only when it starts.
    """
    one = author()
    with running() as consumer:
        with Load(kafka, consumer, story, one, author) as load:
            until(lambda: consumer.applied() >= 50)
            redis_pair.stop_replicating()
            before = consumer.applied()
            until(lambda: consumer.applied() >= before + 50)
            lost, whole = consumer.applied() - before, sum(consumer.sequences().values())
            redis_pair.promote()
            promoted, before = time.monotonic(), consumer.applied()
            until(lambda: consumer.failure or sum(consumer.sequences().values()) >= whole)
            late = time.monotonic() - promoted
            until(lambda: consumer.applied() >= before + 100 or consumer.failure)
        until(lambda: consumer.failure or consumer.sequences() == story.whole())
        until(lambda: consumer.failure or consumer.reasons() == [])
        assert consumer.failure is None
        assert consumer.store.status().parked == 0
        assert consumer.applied() >= load.sent + lost
    assert followers(one) == load.sent
    with capsys.disabled():
        sys.stdout.write(f"\n{lost} events lost, and applied again {late:.1f} s after the promotion\n")
