"""Streams through the gateway: a client applies the events and has what a query of the timeline or the list shows."""

import asyncio
import os
import random
from functools import partial

import httpx
import pytest

from cheeper_e2e.actions.random_traffic import RandomTraffic
from cheeper_e2e.authors import follow, new_id, post, projected, sign_up
from cheeper_e2e.http.timeline_stream import ListFollower, open_stream
from cheeper_e2e.oracle.comparison import differences, report, wait_until_quiescent
from cheeper_e2e.oracle.write_model import WriteModel
from cheeper_local.waiting import eventually

SEED = int(os.environ.get("CHEEPER_SEED", "1"))
COMMANDS = int(os.environ.get("CHEEPER_COMMANDS", "600"))
SETTLE_SECONDS = 120
NEWEST = 40
"""Fewer than a stream follows, so that what is deleted is made up for by cheeps that the client shows already."""

pytestmark = pytest.mark.proves(guarantee="streams")


async def test_a_post_comes_as_it_is_projected_and_a_stream_is_resumed(client):
    """Events come through the gateway at once, and after an interruption those that were missed."""
    reader, author = await sign_up(client), await sign_up(client)
    await follow(client, reader, author)
    async with open_stream(client, reader.author_id) as live:
        assert live.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in live.headers
        assert (await live.event()).name == "refresh"
        first = await post(client, author, "first")
        event = await live.event()
        shown = (await client.timeline(reader.author_id)).data["cheeps"]
        assert (event.name, [event.data]) == ("cheep", shown)
    second = await post(client, author, "second")
    async with open_stream(client, reader.author_id, event.id) as live:
        event = await live.event()
        assert (event.name, event.data["cheep_id"]) == ("cheep", second)
        await projected(client, await client.update_cheep(first, author.author_id, "edited"))
        edited = await live.event()
        assert (edited.name, edited.data["cheep_message"]) == ("edited", "edited")
        await projected(client, await client.delete_cheep(first, author.author_id))
        assert (await live.event())[:2] == ("deleted", {"cheep_id": first})
        await projected(client, await client.unfollow(reader.author_id, author.author_id))
        assert (await live.event())[:2] == ("unfollowed", {"author_id": author.author_id})
        await follow(client, reader, author)
        assert [(await live.event()).name for _ in range(2)] == ["followed", "refresh"]
    async with open_stream(client, reader.author_id, event.id) as live:
        assert (await live.event()).name == "refresh"


async def test_a_notification_comes_as_it_is_projected_and_a_stream_is_resumed(client):
    """A new one comes as in the list; a mark of what was read is a refresh; what was missed comes on resumption."""
    reader, other = await sign_up(client), await sign_up(client)
    await eventually(partial(notified, client, reader, 1))
    async with open_stream(client, reader.author_id, of="notifications") as live:
        assert live.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in live.headers
        assert (await live.event()).name == "refresh"
        await follow(client, other, reader)
        event = await live.event()
        [newest, _] = (await client.notifications(reader.author_id)).data["notifications"]
        assert (event.name, event.data) == ("notification", newest)
        mark = {"notification_id": newest["notification_id"]}
        await projected(client, await client.command("PUT", f"/author/{reader.author_id}/notifications/read", mark))
        event = await live.event()
        assert event.name == "refresh"
    parent = await post(client, reader, "Parent")
    await projected(client, await client.answer_cheep(parent, other.author_id, "Answer"))
    await eventually(partial(notified, client, reader, 3))
    async with open_stream(client, reader.author_id, event.id, of="notifications") as live:
        event = await live.event()
        assert (event.name, event.data["kind"], event.data["cheep_message"]) == ("notification", "answer", "Answer")


async def notified(client, author, number):
    """Return True if an author has so many notifications."""
    return len((await client.notifications(author.author_id)).data["notifications"]) == number


async def test_a_wrong_position_is_refused(url):
    """The gateway passes the response on as any other."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as plain:
        response = await plain.get(f"/author/{new_id()}/timeline/stream?cursor=x")
    assert (response.status_code, response.json()["data"]["code"]) == (422, "invalid")


@pytest.mark.local
@pytest.mark.extended
async def test_streams_end_with_what_sql_shows(patient, local_stack):
    """Random commands, while each author's timeline is followed over streams that are left and resumed at random
    places: in the end each follower shows the newest cheeps that a query shows, and SQL too. So do those who follow
    notifications; their texts are those of the event, since an edit is none.
    """
    draw, traffic = random.Random(SEED), RandomTraffic(patient, SEED)
    followers = [ListFollower(patient, author_id) for author_id in traffic.author_ids[:8]]
    notified = [ListFollower(patient, author_id, "notifications") for author_id in traffic.author_ids[:4]]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each.follow(random.Random(draw.random()))) for each in (*followers, *notified)]
        await traffic.send(COMMANDS, 6)
        with WriteModel(local_stack.environment["DATABASE_URL"]) as model:
            await wait_until_quiescent(patient, model, traffic.sender, traffic.author_ids, SETTLE_SECONDS)
            found = await differences(patient, model, traffic.sender, traffic.author_ids, searches=[traffic.scene.tag])
        assert not found, f"seed {SEED}: {report(found, traffic.sender)}"
        for each in followers:
            newest = (await patient.timeline(each.author_id, size=NEWEST)).data["cheeps"]
            await eventually(lambda each=each, newest=newest: each.shown[:NEWEST] == newest)
        for each in notified:
            found = await patient.notifications(each.author_id, size=NEWEST)
            newest = [(one["notification_id"], one["read"]) for one in found.data.get("notifications", [])]
            await eventually(
                lambda each=each, newest=newest: (
                    [(one["notification_id"], one["read"]) for one in each.shown[:NEWEST]] == newest
                )
            )
        for each in running:
            each.cancel()
