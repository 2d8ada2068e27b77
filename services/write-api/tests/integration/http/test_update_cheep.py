"""PATCH /cheep/{cheep_id}: another text for a cheep."""

import uuid


async def test_a_cheep_is_edited(sync_client, people, cheep, done):
    """200, also where it says so already."""
    for message in ("Edited", " Edited "):
        reply = await sync_client.patch(f"/cheep/{cheep.upper()}", json={"author_id": people[1], "message": message})
        done(reply, 200, cheep_id=cheep)


async def test_all_errors_are_reported_at_once(sync_client, refused):
    """Path, query and body."""
    reply = await sync_client.patch("/cheep/x?author_id=y", json={"author_id": "y", "message": " ", "cheep_id": "x"})
    refused(reply, "invalid", "author_id", "cheep_id", "cheep_id", "author_id", "message")


async def test_only_its_author_edits_a_cheep(sync_client, people, cheep, refused):
    """Another author is refused, also once the cheep is deleted; its own gets "not found" then."""
    alice, bob = ({"author_id": author_id, "message": "Mine"} for author_id in people)
    refused(await sync_client.patch(f"/cheep/{cheep}", json=alice), "not_the_author")
    refused(await sync_client.patch(f"/cheep/{uuid.uuid4()}", json=bob), "cheep_not_found")
    await sync_client.delete(f"/cheep/{cheep}", params={"author_id": people[1]})
    refused(await sync_client.patch(f"/cheep/{cheep}", json=alice), "not_the_author")
    refused(await sync_client.patch(f"/cheep/{cheep}", json=bob), "cheep_not_found")
