"""POST /author: who may sign up."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from cheeper_e2e.authors import expect_error, new_author, new_id, sign_up

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()


def valid():
    """A body with ids of its own."""
    person = new_author()
    return {"author_id": person.author_id, "username": person.username, "email": person.email}


async def test_a_sign_up_is_done_at_once(client):
    """The response is 201 with the author's id."""
    person = new_author()
    reply = await client.sign_up(person.author_id, person.username, person.email)
    assert (reply.status, reply.data) == (201, {"author_id": person.author_id})


async def test_a_sign_up_is_repeated_by_its_key(client):
    """The same sign-up with its key gets the first response, and leaves the profile as it was changed since."""
    person, key = new_author(), new_id()
    first = await client.sign_up(person.author_id, person.username, person.email, name="First", key=key)
    changed = await client.update_profile(person.author_id, name="Second")
    again = await client.sign_up(person.author_id, person.username, person.email, name="First", key=key)
    assert (again.status, again.raw) == (first.status, first.raw)
    assert (await client.author(person.author_id, after=changed.message_id, timeout=10)).data["name"] == "Second"


async def test_a_sign_up_confirms_no_guess_at_an_address(client):
    """Without its key, a sign-up with a public id and username gets the same response with the right address as with
    any other: an address is reported as taken only to who could have had it.
    """
    taken, other = await sign_up(client), new_author()
    for email in (taken.email, other.email):
        sentence = expect_error(await client.sign_up(taken.author_id, taken.username, email), 409, "author_id_taken")
        assert email not in sentence
        expect_error(await client.sign_up(other.author_id, taken.username, email), 409, "username_taken")
    assert taken.email not in expect_error(
        await client.sign_up(other.author_id, other.username, taken.email), 409, "email_taken"
    )


async def test_a_taken_username_is_refused(client):
    """Usernames are unique without regard to case."""
    taken, other = await sign_up(client), new_author()
    expect_error(await client.sign_up(other.author_id, taken.username.upper(), other.email), 409, "username_taken")


async def test_a_taken_email_is_refused(client):
    """E-mail addresses are unique without regard to case."""
    taken, other = await sign_up(client), new_author()
    expect_error(await client.sign_up(other.author_id, other.username, taken.email.upper()), 409, "email_taken")


async def test_a_taken_author_id_is_refused(client):
    """An author's id with other content is refused."""
    taken, other = await sign_up(client), new_author()
    expect_error(await client.sign_up(taken.author_id, other.username, other.email), 409, "author_id_taken")


async def test_a_refusal_is_repeated(client):
    """A repeat of a refused command gets the same refusal, though the reason may no longer hold."""
    taken = await sign_up(client)
    other, key = new_author(), new_id()
    expect_error(await client.sign_up(other.author_id, other.username, taken.email, key=key), 409, "email_taken")
    await client.change_email(taken.author_id, new_author().email)
    again = await client.sign_up(other.author_id, other.username, taken.email, key=key)
    expect_error(again, 409, "email_taken")
    assert again.message_id == key
    assert (await client.sign_up(other.author_id, other.username, taken.email)).status == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("author_id", "bob"),
        ("author_id", ""),
        ("author_id", 7),
        ("username", None),
        ("username", ""),
        ("username", "u" * 31),
        ("username", "b b"),
        ("username", "bób"),
        ("username", "bob\x00"),
        ("username", 7),
        ("email", None),
        ("email", ""),
        ("email", "bob"),
        ("email", "bob@"),
        ("email", "@bob.com"),
        ("email", "bob@bob@bob.com"),
        ("email", ["bob@bob.com"]),
        ("name", ""),
        ("name", "n" * 51),
        ("name", "n\x07"),
        ("bio", "b" * 161),
        ("location", "l" * 31),
        ("website", "ftp://bob.com"),
        ("website", "bob"),
        ("website", "https://bob.com/" + "b" * 185),
        ("birth_date", "2000-02-30"),
        ("birth_date", "20000201"),
        ("birth_date", TOMORROW),
        ("shoe_size", 43),
    ],
)
async def test_wrong_fields_are_named(client, field, value):
    """Each kind of wrong field is 422 `invalid` and names the field."""
    expect_error(await client.command("POST", "/author", {**valid(), field: value}), 422, "invalid", field)


async def test_all_wrong_fields_are_named_at_once(client):
    """A client that made several mistakes learns them in one response."""
    body = {"author_id": "x", "username": "", "bio": "b" * 161, "shoe_size": 43}
    wrong = ("author_id", "username", "email", "bio", "shoe_size")
    expect_error(await client.command("POST", "/author", body), 422, "invalid", *wrong)


async def test_one_sign_up_at_once_through_all_replicas_makes_one_author(client, callers):
    """Concurrent equal sign-ups with one key get one response, made ids too where a client may leave its own out."""
    person, key = new_author(), new_id()
    body = {"username": person.username, "email": person.email}
    if callers is not None:
        body["author_id"] = person.author_id
    replies = await asyncio.gather(*(client.command("POST", "/author", body, key=key) for _ in range(20)))
    assert {(reply.status, reply.data["author_id"]) for reply in replies} == {(201, replies[0].data["author_id"])}


async def test_one_username_goes_to_one_author(client):
    """Of many who ask for one username at once one gets it, the others 409."""
    username = new_author().username
    people = [new_author() for _ in range(10)]
    replies = await asyncio.gather(*(client.sign_up(who.author_id, username, who.email) for who in people))
    assert sorted(reply.status for reply in replies) == [201] + [409] * 9
    assert {reply.data["code"] for reply in replies if reply.status == httpx.codes.CONFLICT} == {"username_taken"}
