"""A switch at any moment, and what was live deleted: no look-up fails, mixes two generations, or takes back."""

import asyncio
import random
from functools import partial
from unittest.mock import patch

import pytest
from read_api_generations import AUTHOR, Commands, name_of, reading
from read_api_layout import new_id
from read_api_world import World, entries_of

from cheeper_contracts import views
from cheeper_contracts.views.generations import REGISTRY
from read_api.queries.timeline import Timeline, show_timeline
from read_api.query_bus.paging import Slice
from read_api.stores.mongo.follows import MongoFollows
from read_api.stores.redis import merging
from read_api.stores.redis import reader as redis_store

pytestmark = pytest.mark.proves(guarantee="rebuild")


async def test_a_new_process_begins_with_what_is_live(documents, documents_two, registry, mongo_url, mongo_database):
    """One that knows nothing yet, where the first generation was forgotten, also without marks."""
    documents.sign_up(AUTHOR, name="one")
    documents_two.sign_up(AUTHOR, name="two")
    for marked in (True, False):
        registry.switch_mongo(2, marked=marked)
        registry.forget(1)
        async with reading(mongo_url, mongo_database) as reader:
            assert (await name_of(reader)) == "two"


async def test_an_unmarked_generation_is_read_from_the_registry(documents, documents_two, registry, reader):
    """Readers follow the registry there and back if only the registry was written."""
    documents.sign_up(AUTHOR, name="one")
    documents_two.sign_up(AUTHOR, name="two")
    for number, name in ((2, "two"), (1, "one"), (2, "two")):
        registry.switch_mongo(number, marked=False)
        assert await name_of(reader) == name
    registry.switch_mongo(1, marked=False)
    registry.forget(2)
    assert await name_of(reader) == "one"


async def test_a_store_that_was_wiped_has_its_first_generation(documents, documents_two, registry, reader):
    """A reader that knew the second looks no longer there once there is neither, nor a registry."""
    documents_two.sign_up(AUTHOR, name="two")
    registry.switch_mongo(2)
    assert await name_of(reader) == "two"
    registry.forget(2)
    documents.database.drop_collection(REGISTRY)
    assert await name_of(reader) is None
    documents.sign_up(AUTHOR, name="one")
    assert await name_of(reader) == "one"


@pytest.mark.parametrize("size", [3, 20])
async def test_a_switch_between_any_two_steps_of_a_timeline(hot, hot_two, registry, redis_views, size):
    """Before whichever call of a walk it is switched and the old generation deleted, the pages are the same ones,
    also where the new one has another floor.
    """
    world = World(hot, random.Random(7))
    world.lay(authors=9, cheeps=60, dates=30)
    world.show_all()
    world.bury(0.2)
    kept = {key: hot.client.dump(key) for key in hot.client.scan_iter(f"{hot.prefix}{{0}}:*")}
    asked, at = 0, -1
    original = redis_store.Script.__call__

    async def called(script, *arguments):
        nonlocal asked
        if asked == at:
            registry.switch_redis(2)
            hot.client.delete(*kept)
        asked += 1
        return await original(script, *arguments)

    with patch.object(merging, "AUTHORS_PER_STEP", 3), patch.object(redis_store.Script, "__call__", called):
        while asked > at:
            registry.switch_redis(1)
            for number, floor in ((1, 20), (2, 7)):
                laid = World(hot if number == 1 else hot_two, world.seed, world.reader, listed=world.listed)
                for key, value in kept.items():
                    hot.client.restore(key.replace(hot.prefix.encode(), laid.hot.prefix.encode(), 1), 0, value, True)
                laid.trim(floor)
            asked, at = 0, at + 1
            assert await walk(redis_views, world.reader, size) == [
                views.unpack_entry(entry)[1] for entry in world.timeline()
            ]
    assert at > 12


async def test_a_switch_between_any_two_commands_to_mongo(
    documents, documents_two, registry, mongo_url, mongo_database
):
    """Before whichever command of a list of several parts it is switched and the old generation deleted, the list
    is whole, of whom both have signed up.
    """
    others = [f"0190a0b0-0000-7000-9000-{number:012}" for number in range(30)]
    commands, at = Commands(), -1
    async with reading(mongo_url, mongo_database, commands) as reader:
        while commands.sent > at:
            registry.switch_mongo(1)
            for laid in (documents, documents_two):
                laid.sign_up(AUTHOR)
                for number, other in enumerate(others):
                    laid.follow(other, AUTHOR, at=number)
                for other in others[::3]:
                    laid.sign_up(other)

            def switch():
                registry.switch_mongo(2)
                registry.forget(1)

            at += 1
            commands.at(at, switch)
            found = await MongoFollows(reader).followers(AUTHOR, Slice(beyond=None, limit=8), after=None)
            assert [each.author_id for each in found.data] == others[::3][:-9:-1]
    assert at > 2


async def test_a_query_of_a_deleted_generation_is_repeated(documents, documents_two, registry, reader):
    """While a slow look-up runs, it is switched and the old generation deleted: one or the other is shown, whole."""
    for laid, name in ((documents, "one"), (documents_two, "two")):
        laid.sign_up(AUTHOR, name=name)
        for number in range(3):
            laid.follow(new_id(), AUTHOR, at=number)
    slow = {"$function": {"body": "function(name) { sleep(300); return name; }", "args": ["$name"], "lang": "js"}}
    follows = {"from": views.FOLLOWS.name, "pipeline": [{"$match": {"to_author_id": AUTHOR}}], "as": "follows"}
    pipeline = [{"$match": {"_id": AUTHOR}}, {"$set": {"name": slow}}, {"$lookup": follows}]
    look = asyncio.create_task(reader.first(views.AUTHORS, pipeline, after=None))
    await until(lambda: running_look(documents))
    await asyncio.to_thread(registry.switch_mongo, 2)
    await asyncio.to_thread(registry.forget, 1)
    found = (await look).data
    assert (found["name"] in {"one", "two"}, len(found["follows"])) == (True, 3)
    assert await name_of(reader) == "two"


@pytest.mark.extended  # `make test` switches before each single step and command of a look-up
async def test_no_shown_data_is_taken_back(
    hot, hot_two, documents, documents_two, registry, redis_views, mongo_url, mongo_database
):
    """A request never shows an older state than a reader in any process was shown before it began, while
    the generations are switched to and fro, each brought up to date before.
    """
    switches, seen = 30, {"mongo": 0, "redis": 0}
    for laid in (documents, documents_two):
        laid.sign_up(AUTHOR, name="0")
    for laid in (hot, hot_two):
        laid.author(AUTHOR, username="bob", followers=0)
    ended = asyncio.Event()

    async def watch(store, look):
        looks = 0
        while not ended.is_set():
            begun = seen[store]
            shown = await look()
            assert shown >= begun, store
            seen[store] = max(seen[store], shown)
            looks += 1
        return looks

    async def in_redis():
        return (await redis_views.followers(AUTHOR, after=None)).data.number_of_followers

    async with (
        reading(mongo_url, mongo_database) as one,
        reading(mongo_url, mongo_database) as other,
        reading(mongo_url, mongo_database) as seldom,
        asyncio.TaskGroup() as group,
    ):

        async def in_mongo(reader):
            return int(await name_of(reader))

        looks = [in_redis, in_redis, *(partial(in_mongo, reader) for reader in (one, other, other))]
        watches = [group.create_task(watch("redis" if look is in_redis else "mongo", look)) for look in looks]
        try:
            for state in range(1, switches + 1):
                number = 1 + state % 2
                (documents, documents_two)[number - 1].sign_up(AUTHOR, name=str(state))
                (hot, hot_two)[number - 1].author(AUTHOR, followers=state)
                await asyncio.to_thread(registry.switch_mongo, number)
                await asyncio.to_thread(registry.switch_redis, number)
                await until(lambda state=state: seen == {"mongo": state, "redis": state})
                if state % 3:
                    assert await in_mongo(seldom) == state, "what others have seen, a process sees that was not asked"
        finally:
            ended.set()  # also where it failed
    assert min(each.result() for each in watches) > switches


async def walk(redis_views, reader, size):
    """The cheeps of a timeline, page by page."""
    show, cheeps, cursor = partial(show_timeline, timelines=redis_views), [], None
    while True:
        found = await show(Timeline(author_id=reader, size=size, cursor=cursor))
        cheeps += entries_of(found.data)
        cursor = found.next_cursor
        if cursor is None:
            return cheeps


def running_look(documents):
    """Return whether the server runs a look-up."""
    running = documents.database.client.admin.command("currentOp", {"command.aggregate": views.AUTHORS.name})
    return any(each.get("ns", "").startswith(documents.database.name) for each in running["inprog"])


async def until(condition):
    """Wait for a condition, 20 s at most."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.001)
