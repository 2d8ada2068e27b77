"""DELETE /author/{from_author_id}/following/{to_author_id}: an author follows another no longer."""

import uuid


async def test_an_unfollow_ends_a_follow_and_another_one_may_begin(sync_client, people, done):
    """200, also where no author was followed; a follow after it is a new one, with the old id."""
    alice, bob = people
    follow = {"follow_id": str(uuid.uuid4()), "from_author_id": alice, "to_author_id": bob}
    path, pair = f"/author/{alice.upper()}/following/{bob.upper()}", {"from_author_id": alice, "to_author_id": bob}
    for status in (201, 201):
        done(await sync_client.post("/follow", json=follow), status, **follow)
        done(await sync_client.delete(path), 200, **pair)
    done(await sync_client.delete(path), 200, **pair)
    done(await sync_client.delete(f"/author/{bob}/following/{bob}"), 200, from_author_id=bob, to_author_id=bob)


async def test_all_errors_are_reported_at_once(sync_client, people, refused):
    """Both ids, query parameters, and a body, which has no meaning here."""
    reply = await sync_client.request("DELETE", "/author/x/following/y?z=1", content=b"{}")
    refused(reply, "invalid", "z", "body", "from_author_id", "to_author_id")
    refused(await sync_client.delete(f"/author/{people[0]}/following/me"), "invalid", "to_author_id")


async def test_both_authors_have_signed_up(sync_client, people, refused):
    """404 for either."""
    for one, other in ((people[0], uuid.uuid4()), (uuid.uuid4(), people[0])):
        refused(await sync_client.delete(f"/author/{one}/following/{other}"), "author_not_found")
