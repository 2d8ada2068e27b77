"""DELETE /cheep/{cheep_id}?author_id=: a cheep that its author takes back."""

import uuid


async def test_a_cheep_is_deleted_for_good(sync_client, people, cheep, done):
    """200, also the second time; the same post again does not bring it back."""
    for author_id in (people[1], people[1].upper()):
        done(await sync_client.delete(f"/cheep/{cheep}", params={"author_id": author_id}), 200, cheep_id=cheep)
    post = {"cheep_id": cheep, "author_id": people[1], "message": "Hello"}
    done(await sync_client.post("/cheep", json=post), 200, cheep_id=cheep)
    done(await sync_client.delete(f"/cheep/{cheep}", params={"author_id": people[1]}), 200, cheep_id=cheep)


async def test_all_errors_are_reported_at_once(sync_client, people, refused):
    """Path, query, and a body, which is not where the author is named."""
    reply = await sync_client.request("DELETE", "/cheep/x?y=1", json={"author_id": people[0]})
    refused(reply, "invalid", "author_id", "y", "body", "cheep_id")
    reply = await sync_client.delete(f"/cheep/x?author_id={people[0]}&author_id=z")
    refused(reply, "invalid", "author_id", "cheep_id", "author_id")


async def test_only_its_author_deletes_a_cheep(sync_client, people, cheep, refused, done):
    """Another author is refused, also once the cheep is deleted; what was never posted is not there."""
    alice, bob = ({"author_id": author_id} for author_id in people)
    refused(await sync_client.delete(f"/cheep/{cheep}", params=alice), "not_the_author")
    refused(await sync_client.delete(f"/cheep/{uuid.uuid4()}", params=bob), "cheep_not_found")
    done(await sync_client.delete(f"/cheep/{cheep}", params=bob), 200, cheep_id=cheep)
    refused(await sync_client.delete(f"/cheep/{cheep}", params=alice), "not_the_author")
