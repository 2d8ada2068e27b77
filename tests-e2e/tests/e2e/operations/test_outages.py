"""Outages: requests that need an unavailable server are 503 within the client's time-out, others go on, and all recover
after it returns.
"""

import asyncio
import random

import httpx
import pytest

from cheeper_e2e.authors import expect_accepted, expect_error, follow, new_author, new_id, post, sign_up
from cheeper_local.waiting import eventually

ROLES = ["write-api", "worker", "relay", "process-manager", "projector", "read-api"]
SERVERS = ["postgres", "kafka", "redis", "mongo"]
SEED = 7

pytestmark = [
    pytest.mark.proves(guarantee="transient-faults"),
    pytest.mark.local,
    pytest.mark.disturbs,
    pytest.mark.takes(seconds=15),
]

# The requests that need a server. A command with a key is reserved in PostgreSQL first, one without a key and
# handled later is not.
NEEDS_OF_COMMANDS = {
    "sign-up": {"postgres"},
    "profile": {"postgres"},
    "email": {"postgres"},
    "post with a key": {"postgres", "kafka"},
    "post": {"kafka"},
    "update": {"kafka"},
    "delete": {"kafka"},
    "answer": {"kafka"},
    "follow": {"kafka"},
    "unfollow": {"kafka"},
}
NEEDS = NEEDS_OF_COMMANDS | {
    "counter": {"redis"},
    "timeline": {"redis"},
    "status": {"redis", "mongo"},
    "author": {"mongo"},
    "author by name": {"mongo"},
    "followers": {"mongo"},
    "following": {"mongo"},
    "cheep": {"mongo"},
    "answers": {"mongo"},
    "cheeps": {"mongo"},
    "notifications": {"mongo"},
    "search": {"mongo"},
    "search of authors": {"mongo"},
}


@pytest.fixture
async def scene(patient):
    """Alice, who follows Bob, and a cheep of Bob's."""
    alice, bob = await sign_up(patient), await sign_up(patient)
    await follow(patient, alice, bob)
    return alice, bob, await post(patient, bob, "before")


def requests(client, alice, bob, cheep):
    """Each kind of request, ready to be sent."""
    new = new_author()
    body = {"author_id": bob.author_id, "message": "meanwhile"}
    pair = {"from_author_id": bob.author_id, "to_author_id": alice.author_id}
    sign_up_body = {"author_id": new.author_id, "username": new.username, "email": new.email}
    unfollow = f"/author/{bob.author_id}/following/{alice.author_id}"
    return {
        "sign-up": lambda: client.request("POST", "/author", body=sign_up_body),
        "profile": lambda: client.request("PATCH", f"/author/{bob.author_id}", body={"name": new.username}),
        "email": lambda: client.request("PUT", f"/author/{bob.author_id}/email", body={"email": f"b.{new.email}"}),
        "post with a key": lambda: client.command("POST", "/cheep", body),
        "post": lambda: client.request("POST", "/cheep", body=body),
        "update": lambda: client.request("PATCH", f"/cheep/{cheep}", body=body),
        "delete": lambda: client.request("DELETE", f"/cheep/{new_id()}", params={"author_id": bob.author_id}),
        "answer": lambda: client.request("POST", f"/cheep/{cheep}/answer", body=body),
        "follow": lambda: client.request("POST", "/follow", body=pair),
        "unfollow": lambda: client.request("DELETE", unfollow),
        "counter": lambda: client.followers_counter(bob.author_id),
        "timeline": lambda: client.timeline(alice.author_id),
        "status": lambda: client.command_status(new_id()),
        "author": lambda: client.author(bob.author_id),
        "author by name": lambda: client.author_named(bob.username),
        "followers": lambda: client.followers(bob.author_id),
        "following": lambda: client.following(bob.author_id),
        "cheep": lambda: client.cheep(cheep),
        "answers": lambda: client.answers(cheep),
        "cheeps": lambda: client.author_cheeps(bob.author_id),
        "notifications": lambda: client.notifications(bob.author_id),
        "search": lambda: client.search("before"),
        "search of authors": lambda: client.search_authors(bob.username),
    }


def unavailable(reply):
    """Expect the 503 that lets a client repeat the request."""
    expect_error(reply, 503, "unavailable")
    assert reply.headers["retry-after"].isdigit(), reply.curl


async def all_is_well(client):
    """A whole story works again, from sign-up to timeline."""
    alice, bob = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    cheep = await post(client, bob, "after")
    assert [shown["cheep_id"] for shown in await client.whole_timeline(alice.author_id)] == [cheep]


def restarts(stack):
    """Return the number of restarts of each process."""
    return {name: process["restarts"] for name, process in stack.processes().items()}


async def waits_for(stack, role):
    """Return the needs that all processes of a role wait for, as their health pages show them."""
    needs = []
    async with httpx.AsyncClient(trust_env=False) as http:
        for process in stack.processes().values():
            if process["role"] == role:
                try:
                    reply = await http.get(f"http://127.0.0.1:{process['port']}{process['health']}")
                except httpx.TransportError:
                    return set()
                needs.append({name for name, need in reply.json()["data"].items() if not need["ok"]})
                assert reply.status_code == (503 if needs[-1] else 200)
    return set.intersection(*needs)


@pytest.mark.parametrize(
    "server", [pytest.param(each, marks=() if each == "redis" else pytest.mark.extended) for each in SERVERS]
)
async def test_an_unavailable_server_returns(client, patient, local_stack, scene, server):
    """With a server stopped the requests that need it are 503 and the others go on; later no process was restarted."""
    alice, bob, cheep = scene
    before = restarts(local_stack)
    replies = {}
    await asyncio.to_thread(local_stack.server, server, "stop")
    try:
        for _ in range(2):  # the first may find a connection that broke, the second a pool that knows
            for name, send in requests(client, alice, bob, cheep).items():
                reply = await send()
                if server in NEEDS[name]:
                    unavailable(reply)
                else:
                    wanted = (404,) if name == "status" else (200, 201, 202)
                    assert reply.status in wanted, f"{name} without {server}: {reply.status} {reply.curl}"
                    replies[name] = reply

        async def unready():
            return (await client.request("GET", "/health")).status == httpx.codes.SERVICE_UNAVAILABLE

        await eventually(unready, what="the gateway reports that a service is not ready")
    finally:
        await asyncio.to_thread(local_stack.server, server, "start")

    async def healthy():
        return (await client.request("GET", "/health")).status == httpx.codes.OK

    await eventually(healthy, what="the gateway is healthy again")
    await all_is_well(patient)
    for name, reply in replies.items():  # what was accepted meanwhile is done now
        if name in NEEDS_OF_COMMANDS:
            shown = await patient.author(bob.author_id, after=reply.message_id, timeout=10)
            assert "stale" not in shown.meta, reply.curl
    assert restarts(local_stack) == before


@pytest.mark.extended
async def test_start_order_does_not_matter(patient, local_stack):
    """Processes that start before any server wait for it, say so, and need no further restart."""
    order = random.Random(SEED).sample(SERVERS, 4)
    processes = local_stack.processes()
    killed_once = {name: each["restarts"] + (each["role"] in ROLES) for name, each in processes.items()}
    for server in SERVERS:
        await asyncio.to_thread(local_stack.server, server, "stop")
    try:
        for role in ROLES:
            await asyncio.to_thread(local_stack.kill, role)
        for role, needs in {
            "worker": {"postgres", "kafka"},
            "relay": {"postgres", "kafka"},
            "process-manager": {"kafka"},
            "projector": {"kafka", "redis", "mongo"},
            "read-api": {"redis", "mongo"},
        }.items():

            async def says_so(role=role, needs=needs):
                return needs <= await waits_for(local_stack, role)

            await eventually(says_so, what=f"{role} says that it waits for {needs}")
    finally:
        for server in order:
            await asyncio.to_thread(local_stack.server, server, "start")
    await asyncio.to_thread(local_stack.wait_ready)
    await all_is_well(patient)
    assert restarts(local_stack) == killed_once


@pytest.mark.extended  # write-api's test_idempotency.py repeats every command
async def test_a_command_whose_outcome_was_unknown_is_repeated_with_its_id(client, patient, local_stack, scene):
    """The message id of a 503 is the key with which to repeat the command, once all is back: it happens once."""
    alice, bob, _ = scene
    body = {"cheep_id": new_id(), "author_id": bob.author_id, "message": "again"}
    await asyncio.to_thread(local_stack.server, "kafka", "stop")
    try:
        lost = await client.request("POST", "/cheep", body=body)
        expect_error(lost, 503, "unavailable")
    finally:
        await asyncio.to_thread(local_stack.server, "kafka", "start")
    again = await patient.command("POST", "/cheep", body, key=lost.message_id)
    expect_accepted(again)
    await patient.timeline(alice.author_id, after=again.message_id, timeout=10)
    shown = [cheep["cheep_id"] for cheep in await patient.whole_timeline(alice.author_id)]
    assert shown.count(body["cheep_id"]) == 1
