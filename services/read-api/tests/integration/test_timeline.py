import threading
from unittest.mock import patch

import pytest
from read_api_walks import assert_walked, laid, showing, walk
from read_api_world import ids

from cheeper_local.testing import until
from read_api.queries.timeline import Timeline
from read_api.stores.redis import merging

pytestmark = pytest.mark.store


@pytest.mark.variants
@pytest.mark.parametrize("kept", [None, 60, 5])
@pytest.mark.parametrize("seed", range(4))
async def test_walking_beside_a_writer(hot, redis_views, seed, kept):
    """The same while a writer of its own never stops, so that it also writes between the steps of one page."""
    world = laid(hot, seed, authors=12, cheeps=240, dates=100, dead=0.1, kept=kept)
    initial, ended, changes = set(world.timeline()), threading.Event(), 0

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
    assert_walked(world, initial, pages, 3)
    assert len(initial - world.removed) > 30


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
