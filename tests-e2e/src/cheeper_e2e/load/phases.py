"""The phases of a load: sign-ups, follows, cheeps, the wait for the views, and the probes of post-to-visible.

Commands of one key (an author; for a follow the followed one) are sent one after the other, so that their order is
known and the last one's id is a token for all of them; keys run side by side.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

import httpx

from cheeper_e2e.http.client import Client, Reply
from cheeper_e2e.http.parallel import in_parallel
from cheeper_e2e.load.workload import Post, Workload

WAIT_SECONDS: Final = 10
"""The longest that the API lets a query wait for `after`."""
PROBES: Final = 50

Tick = Callable[[], object]


class LoadError(Exception):
    """The system's response to a command of the load was not the expected one. The text is one sentence."""


async def sign_up_all(client: Client, world: Workload, concurrency: int, tick: Tick) -> None:
    """Sign up every author."""

    async def sign_up(author: int) -> None:
        username = world.username(author)
        key = world.id_of("sign-up", author)
        reply = await client.sign_up(world.author_id(author), username, f"{username}@example.org", key=key)
        _expect(reply, httpx.codes.CREATED, httpx.codes.OK, httpx.codes.ACCEPTED)
        tick()

    await in_parallel((partial(sign_up, author) for author in world.authors), concurrency)


async def follow_all(client: Client, world: Workload, concurrency: int, tick: Tick) -> None:
    """Let friends follow each other, a followed author's followers one after the other."""

    async def follow(followed: int) -> None:
        for follower in world.followers[followed]:
            what = f"{follower} {followed}"
            reply = await client.follow(
                world.author_id(follower),
                world.author_id(followed),
                follow_id=world.id_of("follow", what),
                key=world.id_of("follow-command", what),
            )
            _expect(reply, httpx.codes.ACCEPTED, httpx.codes.CREATED, httpx.codes.OK)
            tick()

    # The longest chains first, so that none is left running alone at the end.
    chains = sorted(world.authors, key=lambda author: -len(world.followers[author]))
    await in_parallel((partial(follow, author) for author in chains), concurrency)


async def post_all(client: Client, world: Workload, concurrency: int, tick: Tick) -> None:
    """Post every cheep, an author's own one after the other."""

    async def post(author: int) -> None:
        for cheep in world.posts[author]:
            key = _command_of(world, cheep)
            reply = await client.post_cheep(world.author_id(author), cheep.message, cheep_id=cheep.cheep_id, key=key)
            _expect(reply, httpx.codes.ACCEPTED, httpx.codes.CREATED, httpx.codes.OK)
            tick()

    chains = sorted(world.authors, key=lambda author: -len(world.posts[author]))
    await in_parallel((partial(post, author) for author in chains), concurrency)


def token(world: Workload, author: int) -> str:
    """The message id of the last command that was sent with this author as its key."""
    if world.posts[author]:
        return _command_of(world, world.posts[author][-1])
    return world.id_of("follow-command", f"{world.followers[author][-1]} {author}")


async def settle(client: Client, world: Workload, concurrency: int, patience: float, tick: Tick) -> int:
    """Wait until each author's last command shows in both stores, and say for how many it never did.

    Gives up once nothing more has shown for `patience` seconds.
    """
    moved = time.monotonic()
    unsettled = 0

    async def wait(author: int) -> None:
        nonlocal moved, unsettled
        for query in (client.timeline, client.author):
            while True:
                reply = await query(world.author_id(author), after=token(world, author), timeout=WAIT_SECONDS)
                if reply.status == httpx.codes.OK and not reply.meta.get("stale"):
                    moved = time.monotonic()
                    break
                if time.monotonic() - moved > patience:
                    unsettled += 1
                    return
        tick()

    await in_parallel((partial(wait, author) for author in world.authors), concurrency)
    return unsettled


async def probe(client: Client, world: Workload, patience: float, tick: Tick) -> list[float]:
    """Seconds from sending a post to its standing on a follower's timeline, of some tens of posts at rest.

    The probes belong to two authors of their own. Where they were sent on an earlier run there is nothing to measure,
    since a second run changes nothing, and none come back.
    """
    author, reader = (world.id_of("probe", name) for name in ("author", "reader"))
    if await _newest(client, reader) is not None:
        return []
    for who in (author, reader):
        name = f"p{world.id_of('probe username', who).replace('-', '')[:20]}"
        _expect(
            await client.sign_up(who, name, f"{name}@example.org", key=world.id_of("sign-up", who)),
            httpx.codes.CREATED,
            httpx.codes.OK,
            httpx.codes.ACCEPTED,
        )
    followed = await client.follow(reader, author, key=world.id_of("follow-command", "probe"))
    await client.timeline(reader, after=followed.message_id, timeout=WAIT_SECONDS)
    seconds = []
    for number in range(PROBES):
        cheep = world.id_of("probe", number)
        began = time.monotonic()
        await client.post_cheep(author, f"Probe {number}", cheep_id=cheep, key=world.id_of("probe-command", number))
        while await _newest(client, reader) != cheep:
            if time.monotonic() - began > patience:
                raise LoadError(f"The probe {cheep} was not on its follower's timeline after {patience:.0f} seconds.")
        seconds.append(time.monotonic() - began)
        tick()
    return seconds


async def _newest(client: Client, reader: str) -> str | None:
    cheeps = (await client.timeline(reader, size=1)).data["cheeps"]
    return cheeps[0]["cheep_id"] if cheeps else None


def _command_of(world: Workload, post: Post) -> str:
    return world.id_of("post-command", post.cheep_id)


def _expect(reply: Reply, *statuses: int) -> None:
    if reply.status not in statuses:
        message = reply.data.get("message", reply.raw[:200])
        raise LoadError(f"The response was {reply.status} ({message}): {reply.curl}")
