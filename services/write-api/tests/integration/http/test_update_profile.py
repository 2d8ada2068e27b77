"""PATCH /author/{author_id}: parts of a profile."""

import uuid

import pytest
from sqlalchemy import text


@pytest.fixture
def profile(engine):
    """Reads an author's profile from the write model."""

    async def read(author_id):
        async with engine.connect() as connection:
            found = await connection.execute(
                text(
                    "SELECT name, bio, location, website, birth_date FROM authors WHERE author_id = CAST(:id AS uuid)"
                ),
                {"id": author_id},
            )
            return tuple(found.one())

    return read


async def test_what_is_given_changes_and_what_is_absent_stays(sync_client, people, profile, done):
    """Null clears a field; the response is 200 with the author's id, in lower case."""
    alice, _ = people
    for path, body, expected in (
        (alice.upper(), {"name": "Alice", "bio": "", "location": "Nowhere"}, ("Alice", "", "Nowhere", None, None)),
        (alice, {"bio": None, "website": "http://a"}, ("Alice", None, "Nowhere", "http://a", None)),
        (alice, {}, ("Alice", None, "Nowhere", "http://a", None)),
        (alice, {"name": "Alice"}, ("Alice", None, "Nowhere", "http://a", None)),
    ):
        done(await sync_client.patch(f"/author/{path}", json=body), 200, author_id=alice)
        assert await profile(alice) == expected


async def test_all_errors_are_reported_at_once(sync_client, refused):
    """Header, path, query and body; neither username nor e-mail address are of the profile."""
    reply = await sync_client.patch(
        "/author/bob?x=1",
        json={"author_id": str(uuid.uuid4()), "bio": 5, "username": "b", "name": "", "birth_date": "2022-02-30"},
        headers={"Idempotency-Key": "bob"},
    )
    wrong = ("Idempotency-Key", "x", "bio", "author_id", "username", "author_id", "name", "birth_date")
    refused(reply, "invalid", *wrong)


async def test_an_unknown_author_has_no_profile(sync_client, refused):
    """404, whatever is given."""
    refused(await sync_client.patch(f"/author/{uuid.uuid4()}", json={}), "author_not_found")
