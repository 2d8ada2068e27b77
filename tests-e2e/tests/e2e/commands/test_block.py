"""PUT and DELETE /author/{author_id}/blocked/{blocked_id} through the gateway."""

from functools import partial

from cheeper_e2e.authors import expect_error, follow, new_id, post, sign_up, wait_until_visible
from cheeper_local.waiting import eventually


async def counts(client, author):
    """The followers and the followed of an author's profile."""
    profile = (await client.author(author.author_id)).data
    return profile["followers"], profile["following"]


async def are(client, one, other, wanted):
    return [await counts(client, each) for each in (one, other)] == [wanted, wanted]


async def causes(client, author):
    """Return who caused the notifications of an author."""
    found = (await client.notifications(author.author_id)).data["notifications"]
    return {each["author_id"] for each in found if "author_id" in each}


async def test_a_block_ends_both_follows_and_lets_none_begin(client):
    """Timelines and notifications forget the other one; after the end the notifications are back, and no follow is."""
    bob, alice = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    await follow(client, bob, alice)
    cheep_id = await post(client, bob, "Hello")
    await eventually(partial(causes, client, alice), what="a notification of the new follower")
    await eventually(partial(causes, client, bob), what="a notification of the new follower")
    path = f"/author/{alice.author_id}/blocked/{bob.author_id}"
    block = await client.command("PUT", path)
    assert (block.status, block.data) == (202, {"author_id": alice.author_id, "blocked_id": bob.author_id})
    await wait_until_visible(client, block, alice.author_id)
    await eventually(partial(are, client, bob, alice, (0, 0)), what="the end of both follows")
    assert (await causes(client, alice), await causes(client, bob)) == (set(), set())
    for one, other in ((alice, bob), (bob, alice)):
        refused = await client.follow(one.author_id, other.author_id)
        await wait_until_visible(client, refused, alice.author_id)
        assert (await client.command_status(refused.message_id)).data["code"] == "blocked"
        assert (await client.timeline(one.author_id)).data["cheeps"] == []
    answer = await client.command(
        "POST", f"/cheep/{cheep_id}/answer", {"author_id": alice.author_id, "message": "Why?"}
    )
    await wait_until_visible(client, answer, alice.author_id)
    assert (await client.command_status(answer.message_id)).data["code"] == "blocked"
    await wait_until_visible(client, await client.command("DELETE", path), alice.author_id)
    assert (await causes(client, alice), await causes(client, bob)) == ({bob.author_id}, {alice.author_id})
    assert await are(client, bob, alice, (0, 0))
    await follow(client, alice, bob)


async def test_a_block_is_refused_at_the_edge(client):
    """Of oneself, with a body, and with an id that is none; and the path knows no other method."""
    alice = await sign_up(client)
    path = f"/author/{alice.author_id}/blocked"
    expect_error(await client.command("PUT", f"{path}/{alice.author_id}"), 422, "cannot_block_self")
    expect_error(await client.command("PUT", f"{path}/me"), 422, "invalid", "blocked_id")
    expect_error(await client.command("PUT", f"{path}/{new_id()}", {"since": "today"}), 422, "invalid", "body")
    wrong = await client.command("PATCH", f"{path}/{new_id()}", {})
    expect_error(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] == "PUT, DELETE, OPTIONS"
