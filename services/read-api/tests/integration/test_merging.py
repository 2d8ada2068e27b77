import asyncio
import random
import uuid
from contextlib import AsyncExitStack
from functools import partial
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from read_api_layout import Hot, new_id
from read_api_world import World, entries_of, ids
from redis.exceptions import RedisError

from cheeper_contracts import views
from cheeper_contracts.views import pack_entry
from read_api.queries.timeline import Timeline, show_timeline
from read_api.query_bus.paging import encode_cursor
from read_api.stores.redis import merging
from read_api.stores.redis.merging import Merge

WANT = 11


@pytest.fixture
def merge(redis_views, redis_prefix):
    """A merge of its own."""
    return Merge(redis_views._connection, redis_prefix)


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    dates=st.sampled_from([3, 40, 10**15, 2**63 - 1]),
    authors=st.sampled_from([2, 12]),
    step=st.sampled_from([1, 3, 1_000]),
    in_lists=st.booleans(),
)
async def test_a_merge_is_what_sorting_gives(hot, redis_views, redis_prefix, seed, dates, authors, step, in_lists):
    """Wherever a reader continues, and whatever comes, goes, is followed, muted and no more in between, the merge gives
    the newest entries below that place, of those followed and not muted; also in a generation whose projector still
    wrote lists.

    Fails where an entry is compared by its date alone.
    """
    hot = Hot(hot.client, f"{redis_prefix}{new_id()}.", lists_of_own=in_lists)  # an example may come twice
    world, merge = World(hot, random.Random(seed)), Merge(redis_views._connection, hot.prefix)
    world.lay(authors, 90, dates)
    place, want = pack_entry(dates - 1, str(uuid.UUID(int=world.seed.getrandbits(128)))), 1
    with patch.multiple(merging, AUTHORS_PER_STEP=step, STEPS_PER_MERGE=100):
        for _ in range(15):
            whole = sorted((entry for author in world.seen for entry in world.cheeps[author]), reverse=True)
            expected = [entry for entry in whole if entry < place][:want]
            assert [entry for entry, _ in await merge.newest(world.reader, below=place, limit=want)] == expected
            place = expected[-1] if expected and world.seed.random() < 0.6 else world.seed.choice([*whole, place])
            want = world.seed.choice([1, 5, WANT, 200])
            if world.seed.random() < 0.6:
                world.seed.choice(
                    [
                        lambda: world.post(world.seed.randrange(dates)),
                        world.delete,
                        world.unfollow,
                        world.follow,
                        world.mute,
                        world.unmute,
                    ]
                )()


def follow_many(hot, follows, cheeps):
    """A reader who follows many with so many cheeps each, whose dates are random; and all their entries in order."""
    seed, reader = random.Random(follows), new_id()
    whole = []
    with hot.client.pipeline(transaction=False) as pipe:
        for _ in range(follows):
            author = str(uuid.UUID(int=seed.getrandbits(128)))
            entries = [
                pack_entry(seed.randrange(10**15), str(uuid.UUID(int=seed.getrandbits(128)))) for _ in range(cheeps)
            ]
            whole += entries
            pipe.zadd(hot.key(views.AUTHOR_CHEEPS, author), dict.fromkeys(entries, 0))
            pipe.zadd(hot.key(views.FOLLOWING, reader), {author: 0})
        pipe.execute()
    return reader, sorted(whole, reverse=True)


class Reads:
    """Counts what scripts read, on the whole server."""

    def __init__(self, client):
        self._client = client
        self._before = 0
        self.new()

    def new(self):
        """Return the number of reads since the last call."""
        stats = self._client.info("commandstats")
        now = sum(
            stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("zrange", "lindex", "llen", "lrange")
        )
        self._before, since = now, now - self._before
        return since


@pytest.mark.parametrize("at", [800, 25_000])
async def test_what_a_page_reads(hot, merge, at):
    """A page reads each followed author once, each of its entries once and the follows once, wherever it begins."""
    reader, whole = follow_many(hot, 1_000, 40)
    reads = Reads(hot.client)
    page = await merge.newest(reader, below=whole[at - 1], limit=WANT)
    assert [entry for entry, _ in page] == whole[at : at + WANT]
    assert reads.new() <= 1_000 + WANT + 1


async def test_a_step_is_bounded(hot, merge):
    """However many a reader follows and however many cheeps they have, a step reads so many authors, and each entry."""
    reader, whole = follow_many(hot, 300, 100)
    reads, original, taken = Reads(hot.client), merging.MERGE, []

    async def step(*arguments):
        reads.new()
        found = await original(*arguments)
        taken.append(reads.new())
        return found

    with patch.multiple(merging, MERGE=step, AUTHORS_PER_STEP=40):
        found = await merge.newest(reader, below=whole[15_000], limit=WANT)
    assert [entry for entry, _ in found] == whole[15_001 : 15_001 + WANT]
    assert len(taken) == 8
    assert max(taken) <= 40 + 1 + WANT


async def test_a_page_of_20_000_follows_is_bounded_in_total(hot, merge):
    """It takes twenty steps, and one more than a merge may have is refused as unavailable."""
    reader, whole = follow_many(hot, 20_000, 1)
    with patch.object(merging, "STEPS_PER_MERGE", 20):
        page = await merge.newest(reader, below=whole[900], limit=WANT)
    assert [entry for entry, _ in page] == whole[901 : 901 + WANT]
    with patch.object(merging, "STEPS_PER_MERGE", 19), pytest.raises(RedisError, match="19,000"):
        await merge.newest(reader, below=whole[900], limit=WANT)


async def test_few_steps_of_many_merges_wait_for_redis_at_once(hot, merge):
    """Sixteen readers at once leave room for other look-ups between their steps, and each gets the right page."""
    reader, whole = follow_many(hot, 100, 20)
    original, under_way, most = merging.MERGE, 0, 0

    async def step(*arguments):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        found = await original(*arguments)
        under_way -= 1
        return found

    with patch.multiple(merging, MERGE=step, AUTHORS_PER_STEP=10):
        pages = await asyncio.gather(*(merge.newest(reader, below=whole[at], limit=WANT) for at in range(16)))
    assert [[entry for entry, _ in page] for page in pages] == [whole[at + 1 : at + 1 + WANT] for at in range(16)]
    assert most == merging.STEPS_AT_ONCE


async def test_a_merge_ends_in_time(hot, merge):
    """One whose steps do not get their turns fails, as a look-up without a reply does, and holds nothing."""
    reader, whole = follow_many(hot, 10, 2)
    with patch.object(merging, "SECONDS_PER_MERGE", 0.01):
        async with AsyncExitStack() as others:
            for _ in range(merging.STEPS_AT_ONCE):
                await others.enter_async_context(merge._turns)
            with pytest.raises(TimeoutError):
                await merge.newest(reader, below=whole[0], limit=WANT)
    assert len(await merge.newest(reader, below=whole[0], limit=WANT)) == WANT


async def test_a_page_below_the_floor_is_two_round_trips(hot, redis_views):
    """One looks at the timeline's list, the other merges a thousand authors' sets and brings the records."""
    reader, whole = follow_many(hot, 1_000, 2)
    hot.replace(hot.key(views.TIMELINE, reader), whole[:800], hot.key(views.TIMELINE_FLOOR, reader), whole[800])
    for entry in whole[801 : 801 + WANT]:
        hot.record(entry, new_id())
    show = partial(show_timeline, timelines=redis_views)
    query = Timeline(author_id=reader, cursor=encode_cursor(Timeline(author_id=reader), whole[800]))
    await show(query)
    before = hot.client.info("commandstats")["cmdstat_evalsha_ro"]["calls"]
    found = await show(query)
    assert entries_of(found.data) == ids(whole[801:811])
    assert hot.client.info("commandstats")["cmdstat_evalsha_ro"]["calls"] == before + 2
