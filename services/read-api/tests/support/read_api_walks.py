"""Walks of a timeline of a known world, page by page."""

import random
from functools import partial

from read_api_world import World, entries_of, ids

from read_api.queries.timeline import Timeline, show_timeline


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


def assert_walked(world, initial, pages, size):
    """Assert that each lasting entry came once, nothing came twice, all in order, and only the last page was short."""
    seen = [cheep for page in pages for cheep in page]
    posted = {cheep: entry for author in world.authors for cheep, entry in by_id(world, author).items()}
    assert len(seen) == len(set(seen))
    assert set(ids(sorted(initial - world.removed))) <= set(seen)
    assert all(len(page) == size for page in pages[:-1])
    order = [posted[cheep] for cheep in seen if cheep in posted]
    assert order == sorted(order, reverse=True)


def by_id(world, author):
    return dict(zip(ids(world.cheeps[author]), world.cheeps[author], strict=True))
