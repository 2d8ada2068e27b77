"""PUT /author/{author_id}/email: where an author is reached."""

import uuid


async def test_an_address_is_changed_and_is_free_then(sync_client, people, done, refused):
    """200, also where it is the author's already; somebody else's is refused in any spelling, a former one is free."""
    alice, bob = people
    for address in ("new@example.com", "new@example.com", "NEW@example.com"):
        done(await sync_client.put(f"/author/{alice.upper()}/email", json={"email": address}), 200, author_id=alice)
    refused(await sync_client.put(f"/author/{bob}/email", json={"email": "New@Example.com"}), "email_taken")
    done(await sync_client.put(f"/author/{bob}/email", json={"email": "alice@example.com"}), 200, author_id=bob)


async def test_all_errors_are_reported_at_once(sync_client, refused):
    """Path, query and body."""
    reply = await sync_client.put("/author/bob/email?x", json={"email": "bob", "name": "Bob"})
    refused(reply, "invalid", "x", "name", "author_id", "email")
    refused(await sync_client.put("/author/bob/email", json={}), "invalid", "email", "author_id")


async def test_an_unknown_author_has_no_address(sync_client, refused):
    """404, also where the address is somebody's."""
    reply = await sync_client.put(f"/author/{uuid.uuid4()}/email", json={"email": "bob@example.com"})
    refused(reply, "author_not_found")
