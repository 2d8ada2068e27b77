"""Authors for tests, with fresh ids, so that no two tests meet, and short ways to send commands for them."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Final

import httpx
import msgspec

from cheeper_e2e.http.client import Client, Reply
from cheeper_local.waiting import HANG_SECONDS

LONGEST_WAIT: Final = 10
_PAUSE_SECONDS: Final = 0.02


class Author(msgspec.Struct, frozen=True):
    """An author who may sign up."""

    author_id: str
    username: str
    email: str


def new_author() -> Author:
    """Return an author that no system knows."""
    author_id = new_id()
    username = f"u{author_id.replace('-', '')[:20]}"
    return Author(author_id, username, f"{username}@example.org")


def new_id() -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())


async def sign_up(client: Client, *, visible: bool = True) -> Author:
    """Sign up a new author, and wait until the views show it if `visible`."""
    person = new_author()
    reply = await client.sign_up(person.author_id, person.username, person.email)
    expect_accepted(reply)
    if visible:
        await wait_until_visible(client, reply, person.author_id)
    return person


async def follow(client: Client, follower: Author, followed: Author) -> None:
    """Follow, and wait until the views show it."""
    reply = await client.follow(follower.author_id, followed.author_id)
    expect_accepted(reply)
    await wait_until_visible(client, reply, follower.author_id)


async def post(client: Client, author: Author, message: str, *, cheep_id: str | None = None) -> str:
    """Post a cheep, wait until the views show it, and return its id."""
    reply = await client.post_cheep(author.author_id, message, cheep_id=cheep_id)
    expect_accepted(reply)
    await wait_until_visible(client, reply, author.author_id)
    return str(reply.data["cheep_id"])


async def projected(client: Client, command: Reply) -> Reply:
    """Return the reply of a command once its effects are in all views. Raise AssertionError if it was refused."""
    expect_accepted(command)
    status = await settled(client, command.message_id)
    if status.data["status"] != "projected":
        raise AssertionError(f"{status.data}: {command.curl}")
    return command


async def expect_rejected(client: Client, command: Reply, code: str) -> None:
    """Wait for an accepted command's rejection. Raise AssertionError if it is not rejected with this code."""
    expect_accepted(command)
    status = await settled(client, command.message_id)
    if (status.data["status"], status.data.get("code")) != ("rejected", code) or not status.data.get("message"):
        raise AssertionError(f"{status.data}, not {code}: {command.curl}")


async def settled(client: Client, message_id: str, *, patience: float = HANG_SECONDS) -> Reply:
    """Return the status of a command once it is projected or rejected. Raise AssertionError if that takes longer
    than `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while (status := await client.command_status(message_id)).data.get("status") not in ("projected", "rejected"):
        if time.monotonic() > deadline:
            raise AssertionError(f"not settled within {patience:.0f} s: {status.data}: {status.curl}")
        await asyncio.sleep(_PAUSE_SECONDS)
    return status


async def wait_until_visible(client: Client, command: Reply, author_id: str) -> None:
    """Wait until a command's own effects are in the views of both stores."""
    deadline = time.monotonic() + HANG_SECONDS
    for query in (client.timeline, client.author):
        while (reply := await query(author_id, after=command.message_id, timeout=LONGEST_WAIT)).meta.get("stale"):
            if time.monotonic() > deadline:
                raise AssertionError(f"not shown after {HANG_SECONDS} s: {command.curl}\n{reply.curl}")


def expect_accepted(reply: Reply) -> None:
    """Raise AssertionError if a command was not accepted."""
    if reply.status not in (httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED):
        raise AssertionError(f"the response was {reply.status} {reply.data}: {reply.curl}")


def expect_error(reply: Reply, status: int, code: str, *fields: str) -> str:
    """Return the sentence of an error. Raise AssertionError if its status, code, fields or form differ."""
    problem = reply.data
    found = (reply.status, problem.get("code"), {wrong["field"] for wrong in problem.get("fields", ())})
    if found != (status, code, set(fields)):
        raise AssertionError(f"the response was {found} {problem}, not {(status, code, set(fields))}: {reply.curl}")
    sentence = problem["message"]
    if not isinstance(sentence, str) or not sentence or "message_id" not in reply.meta:
        raise AssertionError(f"an error without sentence or id: {reply.raw!r}: {reply.curl}")
    return sentence
