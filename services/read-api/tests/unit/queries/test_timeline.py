import random
import uuid
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from read_api_layout import new_id
from read_api_walks import assert_walked, laid, showing, walk
from read_api_world import entries_of, ids

from cheeper_contracts import views
from read_api.queries.timeline import Timeline
from read_api.query_bus.paging import encode_cursor
from read_api.stores.redis import merging

pytestmark = pytest.mark.store

SEEDS = st.integers(0, 2**32)


several = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@several
@given(seed=SEEDS, size=st.integers(1, 12), kept=st.none() | st.integers(0, 40), dead=st.sampled_from([0, 0.2, 0.9]))
async def test_walking_gives_every_entry_once_in_full_pages(hot, redis_views, seed, size, kept, dead):
    """By cursor, above and below the floor, all live entries come in order, in pages that are full but for the last."""
    world = laid(hot, seed, kept=kept, dead=dead)
    with patch.object(merging, "AUTHORS_PER_STEP", 1 + seed % 5):
        pages = await walk(showing(redis_views), world, size)
    assert [cheep for page in pages for cheep in page] == ids(world.timeline())
    assert all(len(page) == size for page in pages[:-1])
    assert pages[-1] or len(pages) == 1


@several
@given(seed=SEEDS, size=st.integers(1, 12), kept=st.none() | st.integers(0, 40), offset=st.integers(0, 50))
async def test_an_offset_skips_live_entries(hot, redis_views, seed, size, kept, offset):
    """A page at an offset is that slice of the whole, above and below the floor, deleted cheeps not counted."""
    world = laid(hot, seed, kept=kept)
    with patch.object(merging, "AUTHORS_PER_STEP", 3):
        found = await showing(redis_views)(Timeline(author_id=world.reader, size=size, offset=offset))
    whole = ids(world.timeline())
    assert entries_of(found.data) == whole[offset : offset + size]
    assert (found.next_cursor is not None) == (offset + size < len(whole))


@several
@given(seed=SEEDS, size=st.integers(1, 12), kept=st.none() | st.integers(0, 40), date=st.integers(-1, 31))
async def test_a_cursor_may_name_a_deleted_entry(hot, redis_views, seed, size, kept, date):
    """A cursor is a place, not an entry: what it names need not be there."""
    world = laid(hot, seed, kept=kept)
    place = views.pack_entry(max(date, 0), new_id())
    first = Timeline(author_id=world.reader, size=size)
    found = await showing(redis_views)(msgspec.structs.replace(first, cursor=encode_cursor(first, place)))
    assert entries_of(found.data) == ids([entry for entry in world.timeline() if entry < place])[:size]


@several
@given(seed=SEEDS, size=st.integers(1, 12), offset=st.integers(0, 20))
async def test_a_list_with_holes_below_its_floor(hot, redis_views, seed, size, offset):
    """Entries of a list below its floor are not used, since others may be missing there."""
    world = laid(hot, seed)
    world.leave_out()
    pages = await walk(showing(redis_views), world, size)
    assert [cheep for page in pages for cheep in page] == ids(world.timeline())
    found = await showing(redis_views)(Timeline(author_id=world.reader, size=size, offset=offset))
    assert entries_of(found.data) == ids(world.timeline())[offset : offset + size]


@several
@given(seed=SEEDS, size=st.integers(1, 7), kept=st.none() | st.integers(3, 30))
async def test_walking_while_others_write(hot, redis_views, seed, size, kept):
    """Between pages cheeps are posted, edited and deleted, authors followed and unfollowed, the list trimmed and filled
    again: what was there throughout comes once, nothing twice, in full pages.
    """
    world = laid(hot, seed, kept=kept)
    initial = set(world.timeline())

    def change():
        for _ in range(3):
            world.change(40)

    with patch.object(merging, "AUTHORS_PER_STEP", 2):
        pages = await walk(showing(redis_views), world, size, change)
    assert_walked(world, initial, pages, size)


def with_own(world, seed, number):
    """Let the reader post at random dates; return the entries of its timeline with these, newest first."""
    draw, own = random.Random(f"own {seed}"), []
    for _ in range(number):
        entry = views.pack_entry(draw.randrange(31), str(uuid.UUID(int=draw.getrandbits(128))))
        world.hot.record(entry, world.reader)
        world.hot.own(world.reader, entry)
        if draw.random() < 0.1:
            world.hot.bury(entry)
        else:
            own.append(entry)
    return sorted([*world.timeline(), *own], reverse=True)


@several
@given(
    seed=SEEDS,
    size=st.integers(1, 12),
    kept=st.none() | st.integers(0, 40),
    number=st.sampled_from([0, 1, 5, 40]),
    offset=st.sampled_from([0, 0, 1, 7, 60]),
)
async def test_own_cheeps_are_merged_by_order(hot, redis_views, seed, size, kept, number, offset):
    """With `own`, a walk gives every entry of both once and in order, in pages that are full but for the last."""
    world = laid(hot, seed, kept=kept, dead=seed % 3 / 10)
    whole = ids(with_own(world, seed, number))
    query, pages = Timeline(author_id=world.reader, size=size, own=True, offset=offset), []
    with patch.object(merging, "AUTHORS_PER_STEP", 1 + seed % 5):
        while not pages or query.cursor is not None:
            found = await showing(redis_views)(query)
            pages.append(entries_of(found.data))
            query = msgspec.structs.replace(query, cursor=found.next_cursor, offset=0)
    assert [cheep for page in pages for cheep in page] == whole[offset:]
    assert all(len(page) == size for page in pages[:-1])


async def test_own_cheeps_above_the_floor_save_the_merge(hot, redis_views):
    """A page that own cheeps fill above the floor is cheap, one that goes on below it is not."""
    world = laid(hot, 3, dead=0, kept=1)
    for number in range(20):
        entry = views.pack_entry(10**9 + number, new_id())
        world.hot.record(entry, world.reader)
        world.hot.own(world.reader, entry)
    pages = [await showing(redis_views)(Timeline(author_id=world.reader, size=size, own=True)) for size in (20, 21)]
    assert [page.costly for page in pages] == [False, True]
    assert all(len(page.data.cheeps) == size for page, size in zip(pages, (20, 21), strict=True))


async def test_many_followed_authors_and_all_sizes(hot, redis_views):
    """Below the floor more authors than one step takes are merged, for the smallest and the largest page."""
    world = laid(hot, 3, authors=450, cheeps=900, dates=10**9, dead=0.1, kept=50)
    whole = ids(world.timeline())
    for size in (1, 100):
        found = await showing(redis_views)(Timeline(author_id=world.reader, size=size, offset=45))
        assert entries_of(found.data) == whole[45 : 45 + size]
    pages = await walk(showing(redis_views), world, 100)
    assert [cheep for page in pages for cheep in page] == whole


async def test_only_a_merged_page_is_costly(hot, redis_views):
    """A page of the list alone is cheap, and one that continues below the floor is not."""
    world = laid(hot, 3, dead=0, kept=20)
    pages = {
        offset: await showing(redis_views)(Timeline(author_id=world.reader, size=5, offset=offset))
        for offset in (0, 10, 18, 40)
    }
    assert {offset: page.costly for offset, page in pages.items()} == {0: False, 10: False, 18: True, 40: True}


async def test_an_unfollowed_author_is_left_out_below_the_floor(hot, redis_views):
    """The cheeps of an unfollowed author are not merged."""
    world = laid(hot, 5, kept=0)
    author = next(iter(world.followed))
    world.followed.remove(author)
    hot.unfollow(world.reader, author)
    pages = await walk(showing(redis_views), world, 9)
    assert [cheep for page in pages for cheep in page] == ids(world.timeline())


async def test_an_unknown_reader_has_an_empty_timeline(redis_views):
    """An unknown author's timeline is empty, and has no next page."""
    found = await showing(redis_views)(Timeline(author_id=new_id()))
    assert found.data.cheeps == []
    assert found.next_cursor is None
