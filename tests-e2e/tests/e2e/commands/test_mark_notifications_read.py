"""PUT /author/{author_id}/notifications/read through the gateway."""

from cheeper_e2e.authors import expect_error, expect_rejected, follow, new_id, sign_up, wait_until_visible
from cheeper_local.waiting import eventually


async def test_what_is_marked_is_read_and_what_comes_later_is_not(client):
    """A mark is of one notification and all older ones; an older mark changes nothing, and another one's is refused."""
    bob, alice, carol = await sign_up(client), await sign_up(client), await sign_up(client)

    async def listed(number):
        async def enough():
            reply = await client.notifications(bob.author_id)
            return reply if len(reply.data["notifications"]) == number else None

        reply = await eventually(enough, what=f"{number} notifications")
        entries = reply.data["notifications"]
        return [each["notification_id"] for each in entries], [each["read"] for each in entries], reply.meta["unread"]

    async def mark(author, notification_id):
        path = f"/author/{author.author_id}/notifications/read"
        return await client.command("PUT", path, {"notification_id": notification_id})

    await follow(client, alice, bob)
    [follower, welcome], read, unread = await listed(2)
    assert (read, unread) == ([False, False], 2)
    reply = await mark(bob, follower)
    assert (reply.status, reply.data) == (202, {"author_id": bob.author_id, "notification_id": follower})
    await wait_until_visible(client, reply, bob.author_id)
    assert (await listed(2))[1:] == ([True, True], 0)
    await follow(client, carol, bob)
    assert (await listed(3))[1:] == ([False, True, True], 1)
    older = await mark(bob, welcome)
    await wait_until_visible(client, older, bob.author_id)
    assert (await client.command_status(older.message_id)).data["changed"] is False
    await expect_rejected(client, await mark(alice, follower), "notification_not_found")
    expect_error(await mark(bob, "all"), 422, "invalid", "notification_id")
    expect_error(await client.command("PUT", f"/author/{new_id()}/notifications/read"), 415, "unsupported_media_type")
