import random
import threading
from functools import partial
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from read_api_world import World, entries_of, ids

from cheeper_local.testing import until
from read_api.queries.timeline import Timeline, show_timeline
from read_api.stores.redis import merging

pytestmark = pytest.mark.store

SEEDS = st.integers(0, 2**32)


def showing(redis_views):
    return partial(show_timeline, timelines=redis_views)


async def walk(show, world, size, between=lambda: None):
    """The pages of a timeline by cursor; `between` is called after each."""
    pages, cursor = [], None
    while True:
        found = await show(Timeline(author_id=world.reader, size=size, cursor=cursor))
        pages.append(entries_of(found.data))
        cursor = found.next_cursor
        if cursor is None:
            return pages
        between()


def laid(hot, seed, *, authors=6, cheeps=40, dates=30, dead=0.2, kept=None):
    """A world in Redis: few dates, so that many cheeps share one."""
    world = World(hot, random.Random(seed))
    world.lay(authors, cheeps, dates)
    world.show_all()
    if kept is not None:
        world.trim(kept)
    world.bury(dead)
    return world


several = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_walked(world, stood, pages, size):
    """What stood throughout a walk came once, nothing came twice, all in order, and no page but the last was short."""
    seen = [cheep for page in pages for cheep in page]
    posted = {cheep: entry for author in world.authors for cheep, entry in by_id(world, author).items()}
    assert len(seen) == len(set(seen))
    assert set(ids(sorted(stood - world.gone))) <= set(seen)
    assert all(len(page) == size for page in pages[:-1])
    order = [posted[cheep] for cheep in seen if cheep in posted]
    assert order == sorted(order, reverse=True)


def by_id(world, author):
    return dict(zip(ids(world.cheeps[author]), world.cheeps[author], strict=True))


@pytest.mark.parametrize("kept", [None, 60, 5])
@pytest.mark.parametrize("seed", range(4))
async def test_walking_beside_a_writer(hot, redis_views, seed, kept):
    """The same while a writer of its own never stops, so that it also writes between the steps of one page."""
    world = laid(hot, seed, authors=12, cheeps=240, dates=100, dead=0.1, kept=kept)
    stood, ended, changes = set(world.timeline()), threading.Event(), 0

    def write():
        nonlocal changes
        while not ended.is_set():
            world.change(130)
            changes += 1

    def between():
        before = changes
        until(lambda: changes > before)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with patch.object(merging, "AUTHORS_PER_STEP", 2):
            pages = await walk(showing(redis_views), world, 3, between)
    finally:
        ended.set()
        writer.join()
    assert_walked(world, stood, pages, 3)
    assert len(stood - world.gone) > 30


async def test_the_floor_may_rise_within_a_page(hot, redis_views):
    """Trimming between the steps of one page loses nothing and repeats nothing."""
    world = laid(hot, 7, authors=9, cheeps=60, dates=500, dead=0, kept=20)
    step, trims = merging.MERGE, iter([10, 5, 0])

    async def step_after_trim(*args):
        world.trim(next(trims, 0))
        return await step(*args)

    with patch.object(merging, "AUTHORS_PER_STEP", 3), patch.object(merging, "MERGE", step_after_trim):
        pages = await walk(showing(redis_views), world, 7)
    assert [cheep for page in pages for cheep in page] == ids(world.timeline())


@pytest.mark.parametrize("kept", [None, 15])
async def test_one_round_trip_above_the_floor(hot, redis_views, kept):
    """A page that ends above the floor is one call."""
    world = laid(hot, 11, kept=kept, dead=0)
    show = showing(redis_views)
    await show(Timeline(author_id=world.reader))
    before = hot.client.info("commandstats")["cmdstat_evalsha_ro"]["calls"]
    found = await show(Timeline(author_id=world.reader))
    assert len(found.data.cheeps) == 10
    assert hot.client.info("commandstats")["cmdstat_evalsha_ro"]["calls"] == before + 1
