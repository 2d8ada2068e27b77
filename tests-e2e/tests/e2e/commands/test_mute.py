"""PUT and DELETE /author/{author_id}/muted/{muted_id} through the gateway."""

from cheeper_e2e.authors import expect_error, follow, new_id, post, sign_up, wait_until_visible


async def shown(client, author):
    """The cheeps of an author's timeline, and who caused its notifications."""
    timeline = await client.timeline(author.author_id)
    notifications = await client.query(f"/author/{author.author_id}/notifications")
    return (
        [cheep["cheep_id"] for cheep in timeline.data["cheeps"]],
        {each["author_id"] for each in notifications.data["notifications"] if "author_id" in each},
    )


async def test_a_mute_hides_from_timeline_and_notifications_until_it_ends(client):
    """The cheeps and notifications of the mute's time stay hidden too, and all of it is back after the end."""
    bob, alice = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    first = await post(client, bob, "before")
    await follow(client, bob, alice)
    path = f"/author/{alice.author_id}/muted/{bob.author_id}"
    mute = await client.command("PUT", path)
    assert (mute.status, mute.data) == (202, {"author_id": alice.author_id, "muted_id": bob.author_id})
    await wait_until_visible(client, mute, bob.author_id)
    second = await post(client, bob, "meanwhile")
    assert await shown(client, alice) == ([], set())
    assert (await client.followers_counter(bob.author_id)).data["numberOfFollowers"] == 1
    again = await client.command("PUT", path)
    await wait_until_visible(client, again, bob.author_id)
    assert (await client.command_status(again.message_id)).data["changed"] is False
    await wait_until_visible(client, await client.command("DELETE", path), bob.author_id)
    assert await shown(client, alice) == ([second, first], {bob.author_id})


async def test_a_mute_is_refused_at_the_edge(client):
    """Of oneself, with a body, and with an id that is none; and the path knows no other method."""
    alice = await sign_up(client)
    path = f"/author/{alice.author_id}/muted"
    expect_error(await client.command("PUT", f"{path}/{alice.author_id}"), 422, "cannot_mute_self")
    expect_error(await client.command("PUT", f"{path}/me"), 422, "invalid", "muted_id")
    expect_error(await client.command("PUT", f"{path}/{new_id()}", {"since": "today"}), 422, "invalid", "body")
    wrong = await client.command("PATCH", f"{path}/{new_id()}", {})
    expect_error(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] == "PUT, DELETE, OPTIONS"
