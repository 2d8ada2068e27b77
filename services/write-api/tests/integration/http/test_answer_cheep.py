"""POST /cheep/{in_reply_to}/answer: a cheep in answer to another one."""

import uuid


async def test_an_answer_is_posted_once(sync_client, people, cheep, done):
    """201 with the answer's own id and what it answers; the same again 200, also once its parent is deleted."""
    answer = {"cheep_id": str(uuid.uuid4()), "author_id": people[0], "message": "Hello Bob"}
    expected = {"cheep_id": answer["cheep_id"], "in_reply_to": cheep}
    done(await sync_client.post(f"/cheep/{cheep.upper()}/answer", json=answer), 201, **expected)
    done(await sync_client.post(f"/cheep/{cheep}/answer", json=answer), 200, **expected)
    await sync_client.delete(f"/cheep/{cheep}", params={"author_id": people[1]})
    done(await sync_client.post(f"/cheep/{cheep}/answer", json=answer), 200, **expected)


async def test_an_answer_is_a_cheep_that_can_be_answered(sync_client, people, cheep):
    """Its id is made where none is given, by its author, the parent's own too."""
    for author_id in people:
        reply = await sync_client.post(f"/cheep/{cheep}/answer", json={"author_id": author_id, "message": "Hi"})
        assert (reply.status_code, reply.json()["data"]["in_reply_to"]) == (201, cheep)
        cheep = reply.json()["data"]["cheep_id"]


async def test_all_errors_are_reported_at_once(sync_client, refused):
    """The parent's id in the path has a name of its own."""
    reply = await sync_client.post("/cheep/x/answer?z=1", json={"cheep_id": "y", "message": "", "in_reply_to": "x"})
    refused(reply, "invalid", "z", "author_id", "in_reply_to", "in_reply_to", "cheep_id", "message")


async def test_what_cannot_be_answered_is_refused(sync_client, people, cheep, refused):
    """An unknown or deleted parent, an unknown author, an id that is a post's; an answer's is no post's either."""
    answer = {"cheep_id": str(uuid.uuid4()), "author_id": people[0], "message": "Hi"}
    refused(await sync_client.post(f"/cheep/{uuid.uuid4()}/answer", json=answer), "cheep_not_found")
    by_unknown = answer | {"author_id": str(uuid.uuid4())}
    refused(await sync_client.post(f"/cheep/{cheep}/answer", json=by_unknown), "author_not_found")
    post = {"cheep_id": cheep, "author_id": people[1], "message": "Hello"}
    refused(await sync_client.post(f"/cheep/{cheep}/answer", json=post), "cheep_id_taken")
    assert (await sync_client.post(f"/cheep/{cheep}/answer", json=answer)).status_code == 201
    refused(await sync_client.post("/cheep", json=answer), "cheep_id_taken")
    await sync_client.delete(f"/cheep/{cheep}", params={"author_id": people[1]})
    late = answer | {"cheep_id": str(uuid.uuid4())}
    refused(await sync_client.post(f"/cheep/{cheep}/answer", json=late), "cheep_not_found")
