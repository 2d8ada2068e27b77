"""The replica of a Redis is promoted while counters are read without pause, and lacks what was written last."""

import asyncio
import sys
from contextlib import suppress

import pytest
import redis as redis_py
from read_api_layout import Hot, new_id

from cheeper_local.testing import eventually
from cheeper_local.testing.replicated import Availability
from read_api.query_bus.query import StoreUnavailableError
from read_api.stores.redis import reader as redis

pytestmark = [pytest.mark.extended, pytest.mark.proves(guarantee="failovers"), pytest.mark.takes(seconds=8)]

PAUSE = 0.01


@pytest.fixture
def hot(redis_pair):
    with redis_py.Redis.from_url(redis_pair.url) as client:
        yield Hot(client, "")


@pytest.fixture
async def views(redis_pair):
    client = redis.connect(redis_pair.url)
    made = redis.RedisViews(client, "")
    yield made
    made.close()
    await client.aclose()


async def test_queries_follow_a_promotion(redis_pair, hot, views, capsys):
    """A query fails only as unavailable, and reads the promoted replica as soon as the name leads there; a command
    whose effects are lost is not shown as settled.

    Broken by a connection that is kept although its server has ended.
    """
    author, kept, lost = new_id(), new_id(), new_id()
    hot.author(author, username="bob", followers=1)
    hot.command(kept, key=author, sequence=1)
    await asyncio.to_thread(redis_pair.stop_replicating)
    hot.author(author, followers=2)
    hot.command(lost, key=author, sequence=2)
    available, shown = Availability(), []

    async def read():
        while True:
            with suppress(StoreUnavailableError):
                found = await views.followers(author, after=lost)
                shown.append((found.data.number_of_followers, found.settled))
                available.succeeded()
            await asyncio.sleep(PAUSE)

    reading = asyncio.create_task(read())
    try:
        await eventually(lambda: reading.done() or (2, True) in shown)
        await asyncio.to_thread(redis_pair.promote)
        await eventually(lambda: reading.done() or (1, False) in shown)
        assert not reading.done(), reading.exception()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert set(shown) == {(2, True), (1, False)}
    assert (await views.followers(author, after=kept)).settled
    with capsys.disabled():
        sys.stdout.write(f"\nno read for {available.longest_pause:.1f} s\n")
