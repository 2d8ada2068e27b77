"""The primary of a MongoDB of three is killed or frozen while events come without pause."""

import sys
import uuid

import pytest
from projector_testing.failover import Load

from cheeper_local.testing import until
from cheeper_local.testing.replicated import HOW

pytestmark = [pytest.mark.extended, pytest.mark.proves(guarantee="failovers"), pytest.mark.takes(seconds=10)]


@pytest.fixture
def mongo_url(mongo_set):
    mongo_set.wait_whole()
    return mongo_set.url


@pytest.fixture
def mongo_database():
    """Drop nothing, because the servers end with the module."""
    return f"t{uuid.uuid4().hex}"


@pytest.mark.parametrize("running", ["mongo"], indirect=True)
@pytest.mark.parametrize("how", HOW)
def test_another_primary_is_followed(running, mongo_set, kafka, story, author, followers, how, capsys):
    """Without a restart every event is applied once by way of the next primary, also after the old one has returned.

    Broken by a checkpoint or a view that is acknowledged before a majority has it.
    """
    one = author()
    with running() as consumer:
        with Load(kafka, consumer, story, one, author) as load:
            until(lambda: consumer.applied() >= 50)
            with mongo_set.failed(mongo_set.primary(), how):
                before = consumer.applied()
                until(lambda: consumer.applied() >= before + 100 or consumer.failure)
            mongo_set.wait_whole()
            before = consumer.applied()
            until(lambda: consumer.applied() >= before + 100 or consumer.failure)
        until(lambda: consumer.failure or consumer.sequences() == story.whole())
        until(lambda: consumer.failure or consumer.reasons() == [])
        assert consumer.failure is None
        assert consumer.store.status().parked == 0
    assert followers(one) == load.sent
    with capsys.disabled():
        sys.stdout.write(f"\nprimary {how}: nothing was written for {load.applied.longest_pause:.1f} s\n")
