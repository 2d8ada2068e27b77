import random
import uuid
from functools import partial
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from read_api_layout import Hot, new_id
from read_api_world import World, entries_of, ids

from cheeper_contracts import views
from cheeper_contracts.views import pack_entry
from read_api.queries.timeline import Timeline, show_timeline
from read_api.query_bus.paging import encode_cursor
from read_api.stores.redis import merging
from read_api.stores.redis.merging import Merge

WANT = 11


@pytest.fixture
def merge(redis_views, redis_prefix):
    """A merge that has been asked nothing."""
    return Merge(redis_views._connection, redis_prefix)


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    dates=st.sampled_from([3, 40, 10**15, 2**63 - 1]),
    authors=st.sampled_from([2, 12]),
    steps=st.sampled_from([(1, 1), (3, 7), (1_000, 20), (1_000, 2_000)]),
)
async def test_a_merge_is_what_sorting_gives(hot, redis_views, redis_prefix, seed, dates, authors, steps):
    """Wherever the same reader asks, up, down and far away, and whatever comes, goes, is followed and unfollowed in
    between, the merge gives the newest entries of the followed below that place: what it remembers is only a guess.

    Fails where `newest_below` does not look at the entry before the one that was guessed, or at dates alone.
    """
    hot = Hot(hot.client, f"{redis_prefix}{new_id()}.")  # an example may come twice
    world, merge = World(hot, random.Random(seed)), Merge(redis_views._connection, hot.prefix)
    world.lay(authors, 90, dates)
    place, want = pack_entry(dates - 1, str(uuid.UUID(int=world.seed.getrandbits(128)))), 1
    with patch.multiple(merging, AUTHORS_PER_STEP=steps[0], READS_PER_STEP=steps[1]):
        for _ in range(15):
            whole = sorted((entry for author in world.followed for entry in world.cheeps[author]), reverse=True)
            expected = [entry for entry in whole if entry < place][:want]
            assert [entry for entry, _ in await merge.newest(world.reader, below=place, limit=want)] == expected
            place = expected[-1] if expected and world.seed.random() < 0.6 else world.seed.choice([*whole, place])
            want = world.seed.choice([1, 5, WANT, 200])
            if world.seed.random() < 0.6:
                world.seed.choice(
                    [lambda: world.post(world.seed.randrange(dates)), world.delete, world.unfollow, world.follow]
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
            pipe.rpush(hot.key(views.AUTHOR_CHEEPS, author), *sorted(entries, reverse=True))
            pipe.zadd(hot.key(views.FOLLOWING, reader), {author: 0})
        pipe.execute()
    return reader, sorted(whole, reverse=True)


class Reads:
    """Counts what scripts read of lists, on the whole server."""

    def __init__(self, client):
        self._client = client
        self._before = 0
        self.new()

    def new(self):
        """Return the number of reads since the last call."""
        stats = self._client.info("commandstats")
        now = sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("lindex", "llen", "lrange"))
        self._before, since = now, now - self._before
        return since


@pytest.mark.parametrize(("follows", "first"), [(100, 10), (1_000, 7)])
async def test_what_a_page_reads(hot, merge, follows, first):
    """The first page of a reader costs a search in each list, but for those whose head is old enough. The pages that
    follow, and the same again, cost one read a list, one for each entry and a few where a list has moved on.

    Fails where `Merging` does not remember what a merge found, and where its steps do not send it.
    """
    reader, whole = follow_many(hot, follows, 40)
    reads, at = Reads(hot.client), 800
    await merge.newest(reader, below=whole[at - 1], limit=WANT)
    assert reads.new() <= first * follows
    await merge.newest(reader, below=whole[at - 1], limit=WANT)
    assert reads.new() <= follows + WANT
    for at in range(810, 1_400, 10):
        page = await merge.newest(reader, below=whole[at - 1], limit=WANT)
        assert [entry for entry, _ in page] == whole[at : at + WANT]
        assert reads.new() <= follows + 6 * WANT


async def test_a_step_is_bounded(hot, merge):
    """However many a reader follows and however long their lists are, a step ends after so many reads, the search that
    it is at and what the entries take; the first time, when nothing is known, too. The next time a list is one read.

    Fails where a step takes all authors that it is given, and where each is sent what is known of the first ones.
    """
    reader, whole = follow_many(hot, 300, 100)
    reads, original, taken = Reads(hot.client), merging.MERGE, []

    async def step(*arguments):
        reads.new()
        found = await original(*arguments)
        taken.append(reads.new())
        return found

    async def page():
        taken.clear()
        found = await merge.newest(reader, below=whole[15_000], limit=WANT)
        assert [entry for entry, _ in found] == whole[15_001 : 15_001 + WANT]

    with patch.multiple(merging, MERGE=step, READS_PER_STEP=200):
        await page()
        assert len(taken) > 10
        assert max(taken) <= 200 + 20 + WANT
        await page()
        assert len(taken) == 2
        assert sum(taken) <= 300 + 2 * WANT


async def test_a_page_below_the_floor_is_two_round_trips(hot, redis_views):
    """One looks at the timeline's list, the other merges a thousand authors' lists and brings the records."""
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
