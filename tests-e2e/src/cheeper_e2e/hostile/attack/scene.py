"""The authors and cheeps that an attack works on, made through the gateway as any client would."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Final

import msgspec

from cheeper_e2e.authors import Author, expect_accepted, follow, new_id, post, projected, sign_up
from cheeper_e2e.console import Tick, no_tick
from cheeper_e2e.http.client import LARGEST_PAGE, Client
from cheeper_e2e.http.parallel import in_parallel
from cheeper_local.waiting import HANG_SECONDS

CONCURRENCY: Final = 32
LISTED: Final = 800
"""The most entries that a timeline keeps; older ones are merged from the authors' own lists."""
_PAUSE_SECONDS: Final = 0.5


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a scene, and of the attacks that hold something open."""

    followed: int
    """authors whom the reader of long timelines follows"""
    cheeps_each: int
    long_list: int
    """cheeps of the author whose oldest ones are deleted"""
    answers: int
    """answers to one cheep"""
    held_open: int
    """the most connections and waits that an attack holds open at once"""


FULL: Final = Scale(followed=1000, cheeps_each=2, long_list=10_000, answers=2000, held_open=2000)
SHORT: Final = Scale(followed=30, cheeps_each=31, long_list=300, answers=40, held_open=400)


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of a scene. `alice` and `bob` belong to the good client alone."""

    alice: Author
    bob: Author
    cheep: str
    """of bob, on alice's timeline"""
    word: str
    """in few cheeps"""
    mallory: Author
    """follows many, and attacks"""
    deep_cursors: tuple[str, ...]
    """of mallory's timeline, behind what the list has"""
    prolific: Author
    oldest: tuple[str, ...]
    """cheeps of the prolific author, the oldest first"""
    discussed: str
    """a cheep with many answers"""


async def seed(client: Client, scale: Scale, tick: Tick = no_tick) -> Scene:
    """Make a scene and wait until it is visible. Raise AssertionError or UnavailableError."""
    alice, bob, mallory, prolific = [await sign_up(client) for _ in range(4)]
    word = f"w{new_id()[:8]}"
    cheep = await post(client, bob, f"Hello {word}")
    await follow(client, alice, bob)
    await _crowd(client, mallory, scale, tick)
    oldest = await _posts(client, prolific, scale.long_list, tick)
    discussed = await post(client, bob, "What do you say?")
    jobs = (partial(_answer, client, discussed, mallory, number, tick) for number in range(scale.answers))
    await in_parallel(jobs, CONCURRENCY)
    await projected(client, await client.answer_cheep(discussed, mallory.author_id, "That was all."))
    return Scene(
        alice=alice,
        bob=bob,
        cheep=cheep,
        word=word,
        mallory=mallory,
        deep_cursors=await _deep_cursors(client, mallory, scale.followed * scale.cheeps_each),
        prolific=prolific,
        oldest=tuple(oldest),
        discussed=discussed,
    )


def number_of_steps(scale: Scale) -> int:
    """Return how often `seed` ticks."""
    return scale.followed + scale.long_list + scale.answers


async def _crowd(client: Client, reader: Author, scale: Scale, tick: Tick) -> None:
    """Sign up authors who post, and let the reader follow all of them."""

    async def join(number: int) -> None:
        author = await sign_up(client, visible=False)
        for each in range(scale.cheeps_each):
            # Words with beginnings that most cheeps have.
            reply = await client.post_cheep(author.author_id, f"a cat and an answer at that address {number} {each}")
            expect_accepted(reply)
        expect_accepted(await client.follow(reader.author_id, author.author_id))
        tick()

    await in_parallel((partial(join, number) for number in range(scale.followed)), CONCURRENCY)


async def _posts(client: Client, author: Author, number: int, tick: Tick) -> list[str]:
    """Post cheeps and return their ids, the oldest first."""
    ids = [new_id() for _ in range(number)]

    async def post_one(cheep_id: str) -> None:
        expect_accepted(await client.post_cheep(author.author_id, "One of many", cheep_id=cheep_id))
        tick()

    await in_parallel((partial(post_one, each) for each in ids), CONCURRENCY)
    await projected(client, await client.post_cheep(author.author_id, "The last one"))
    return ids


async def _answer(client: Client, cheep_id: str, author: Author, number: int, tick: Tick) -> None:
    expect_accepted(await client.answer_cheep(cheep_id, author.author_id, f"Answer {number}"))
    tick()


async def _deep_cursors(client: Client, reader: Author, entries: int) -> tuple[str, ...]:
    """Return the cursors behind the listed entries, once the timeline has all of its entries."""
    deadline = time.monotonic() + HANG_SECONDS
    while True:
        cursors: list[str] = []
        cursor, found = None, 0
        while True:
            reply = await client.timeline(reader.author_id, size=LARGEST_PAGE, cursor=cursor)
            found += len(reply.data["cheeps"])
            cursor = reply.meta.get("next_cursor")
            if cursor is None:
                break
            if found >= LISTED:
                cursors.append(cursor)
        if found >= entries and cursors:
            return tuple(cursors)
        if time.monotonic() > deadline:
            raise AssertionError(
                f"the timeline has {found} of {entries} entries, {len(cursors)} cursors behind the list"
            )
        await asyncio.sleep(_PAUSE_SECONDS)
