"""`after` while a store is rebuilt beside the live generation and switched to and fro: never wrongly not stale."""

from __future__ import annotations

import asyncio
import os
import random
from functools import partial

import pytest
from read_api_generations import AUTHOR
from read_api_layout import Hot, command_record, new_id

from cheeper_local.testing import eventually
from read_api.queries.author import Author
from read_api.queries.followers_counter import FollowersCounter
from read_api.queries.timeline import Timeline

pytestmark = pytest.mark.proves(guarantee="read-your-writes")

SEED = int(os.environ.get("CHEEPER_SEED", "1"))
COMMANDS = 40
QUERIES = {"redis": FollowersCounter, "mongo": Author}


def apply(laid, number, message_id):
    """A command: its effect, then its record, as one who waits must never see them the other way round."""
    if isinstance(laid, Hot):
        laid.author(AUTHOR, followers=number + 1)
        laid.command(message_id, key=AUTHOR, sequence=number + 1)
    else:
        laid.follow(new_id(), AUTHOR)
        laid.command(command_record(message_id, key=AUTHOR, sequence=number + 1))


@pytest.mark.variants
@pytest.mark.parametrize("store", QUERIES)
async def test_no_response_is_wrongly_not_stale_during_a_switch(
    hot, hot_two, documents, documents_two, registry, ask, store
):
    """Two generations take the same commands, each at its own pace, and are switched between at random, also to the one
    that is behind: whatever a response shows is as new as the command that it says is in, and once the live generation
    has all, nothing is stale.
    """
    draw, ids, applied = random.Random(SEED), [new_id() for _ in range(COMMANDS)], [0, 0]
    laid = ({"redis": hot, "mongo": documents}, {"redis": hot_two, "mongo": documents_two})
    for each in laid:
        each["redis"].author(AUTHOR, username="bob", followers=0)
        each["mongo"].sign_up(AUTHOR)
    counted = {True: 0, False: 0}
    ended = asyncio.Event()

    async def read(seed):
        mine = random.Random(f"{SEED} {seed}")
        while not ended.is_set():
            number = max(0, max(applied) - 1 - mine.randrange(8))  # about what the other generation lacks
            found = await ask(QUERIES[store](author_id=AUTHOR, after=ids[number], timeout=mine.choice([0, 0.01, 0.05])))
            shown = found.data.number_of_followers if store == "redis" else found.data.followers
            assert not found.settled or shown > number, f"seed {SEED}: {shown} shown after {number + 1}"
            counted[found.settled] += 1

    async def looked(times):
        return sum(counted.values()) >= times

    switch = registry.switch_redis if store == "redis" else registry.switch_mongo
    async with asyncio.TaskGroup() as group:
        for seed in range(6):
            group.create_task(read(seed))
        try:
            while min(applied) < COMMANDS:
                behind = [generation for generation in (0, 1) if applied[generation] < COMMANDS]
                generation = draw.choice(behind)
                number = applied[generation]
                await asyncio.to_thread(apply, laid[generation][store], number, ids[number])
                applied[generation] += 1
                if draw.random() < 0.5:
                    await asyncio.to_thread(switch, draw.choice([1, 2]))
                begun = sum(counted.values())
                await eventually(partial(looked, begun + 6), what="readers looked")
        finally:
            ended.set()
    assert min(counted.values()) > 0, f"seed {SEED}: {counted}"
    for message_id in ids:
        assert (await ask(QUERIES[store](author_id=AUTHOR, after=message_id, timeout=0))).settled


async def test_tasks_of_the_generation_that_is_live_hold_up(hot, hot_two, registry, ask):
    """A fan-out that the new generation has still to do makes its timelines stale, though the old one has done it."""
    message = new_id()
    for laid in (hot, hot_two):
        laid.command(message, key=AUTHOR, sequence=5)
    hot_two.task(AUTHOR, 5)
    for number, stale in ((1, False), (2, True), (1, False), (2, True)):
        registry.switch_redis(number)
        found = await ask(Timeline(author_id=AUTHOR, after=message, timeout=0))
        assert found.settled is not stale
    hot_two.task_done(AUTHOR)
    assert (await ask(Timeline(author_id=AUTHOR, after=message, timeout=0))).settled
