"""A timeline walked by cursor while others post, edit, delete and unfollow, above and below its floor."""

import asyncio
import random

import pytest

from cheeper_contracts.views import TIMELINE_ENTRIES
from cheeper_e2e.actions.sender import wait_until_settled
from cheeper_e2e.authors import expect_accepted, follow, sign_up
from cheeper_e2e.http.parallel import in_parallel

AUTHORS = 4
CHEEPS = 300
SEED = 4
POSTING_AT_ONCE = 16


@pytest.fixture
async def world(patient):
    """A reader and four authors whom the reader follows, each with 300 cheeps: more than a list holds."""
    reader, authors = await sign_up(patient), [await sign_up(patient) for _ in range(AUTHORS)]
    for author in authors:
        await follow(patient, reader, author)
    posted = {author: [] for author in authors}
    commands = []

    def post(author, number):
        async def send():
            reply = await patient.post_cheep(author.author_id, f"Cheep {number}")
            expect_accepted(reply)
            posted[author].append(reply.data["cheep_id"])
            commands.append(reply.message_id)

        return send

    await in_parallel((post(author, number) for number in range(CHEEPS) for author in authors), POSTING_AT_ONCE)
    await wait_until_settled(patient, commands, asyncio.get_running_loop().time() + 60)
    assert len(await patient.whole_timeline(reader.author_id)) == AUTHORS * CHEEPS > TIMELINE_ENTRIES
    return reader, authors, posted


async def disturb(patient, reader, authors, posted, stop):
    """Post, edit, delete, unfollow and follow again until `stop`. Return what was not there throughout, and all posted.

    One author's cheeps are only edited, one is unfollowed and followed.
    """
    draw = random.Random(SEED)
    removed, commands, posted_meanwhile = set(), [], set()
    calm, wavering, *others = authors
    followed = True
    while not stop.is_set():
        kind = draw.choice(["post", "edit", "delete", "unfollow"])
        author = draw.choice(others)
        if kind == "post":
            reply = await patient.post_cheep(author.author_id, "Meanwhile")
            posted_meanwhile.add(reply.data["cheep_id"])
        elif kind == "edit":
            cheep = draw.choice(posted[calm])
            reply = await patient.update_cheep(cheep, calm.author_id, f"Edited {draw.random()}")
        elif kind == "delete":
            cheep = draw.choice(posted[author])
            removed.add(cheep)
            reply = await patient.delete_cheep(cheep, author.author_id)
        else:
            action = patient.unfollow if followed else patient.follow
            reply = await action(reader.author_id, wavering.author_id)
            followed = not followed
        expect_accepted(reply)
        commands.append(reply.message_id)
    return removed | set(posted[wavering]), posted_meanwhile, commands


@pytest.mark.extended  # read-api's test_timeline.py and test_lists.py walk beside a writer
@pytest.mark.parametrize("size", [7, 100])
@pytest.mark.takes(seconds=20)
async def test_a_walk_while_others_write(patient, world, size):
    """Each entry that was there throughout is shown once, none twice, and no page before the last is short."""
    reader, authors, posted = world
    stop = asyncio.Event()
    writing = [asyncio.create_task(disturb(patient, reader, authors, posted, stop)) for _ in range(2)]
    try:
        walks = [await patient.whole_timeline(reader.author_id, size=size) for _ in range(3)]  # a short page raises
    finally:
        stop.set()
        disturbed = await asyncio.gather(*writing)
    removed = set().union(*(each[0] for each in disturbed))
    kept = {cheep for cheeps in posted.values() for cheep in cheeps} - removed
    assert len(kept) > TIMELINE_ENTRIES / 2
    for walk in walks:
        shown = [cheep["cheep_id"] for cheep in walk]
        assert len(shown) == len(set(shown))
        assert kept <= set(shown)
        assert set(shown) <= kept | removed | set().union(*(each[1] for each in disturbed))
    await wait_until_settled(
        patient, [each for _, _, commands in disturbed for each in commands], asyncio.get_running_loop().time() + 60
    )
