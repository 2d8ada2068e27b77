"""An author's profile: PATCH /author, PUT /author/{author_id}/email, and GET /author by id and by username."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from cheeper_e2e.authors import expect_error, follow, new_author, new_id, post, projected, sign_up

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
PROFILE = {
    "name": "Bób",
    "bio": "I \N{HEAVY BLACK HEART} cheeps\nand lines",
    "location": "Åland",
    "website": "https://bob.example/x?y=z",
    "birth_date": "1990-02-28",
}


async def profile_of(client, author_id, command):
    """The profile's own fields, once a command shows."""
    reply = await client.author(author_id, after=command.message_id, timeout=10)
    assert "stale" not in reply.meta
    return {name: reply.data[name] for name in PROFILE}


# --- GET /author -----------------------------------------------------------------------------------------------------


async def test_a_profile_shows_what_was_signed_up_with(client):
    """It has every field of the profile and its counts, and no e-mail address."""
    bob, alice = new_author(), await sign_up(client)
    await client.sign_up(bob.author_id, bob.username, bob.email, **PROFILE)
    await projected(client, await client.follow(alice.author_id, bob.author_id))
    await post(client, bob, "Hello")
    reply = await client.author(bob.author_id)
    shown = dict(reply.data)
    assert DATE.fullmatch(shown.pop("signed_up_at"))
    counts = {"followers": 1, "following": 0, "cheeps": 1}
    assert shown == {"author_id": bob.author_id, "username": bob.username, **PROFILE, **counts}
    assert bob.email not in reply.raw.decode()


async def test_a_bare_profile_has_nulls(client):
    """A field that was left out at sign-up is null."""
    data = (await client.author((await sign_up(client)).author_id)).data
    assert {name for name, value in data.items() if value is None} == set(PROFILE)


async def test_an_author_is_found_by_username(client):
    """GET /author?username= is the same profile, without regard to case, and names the username as it was written."""
    bob = new_author()
    username = f"B{bob.username[1:]}"
    await projected(client, await client.sign_up(bob.author_id, username, bob.email))
    plain = await client.author(bob.author_id)
    for written in (username, username.lower(), username.upper()):
        found = await client.author_named(written)
        assert (found.status, found.data) == (200, plain.data)
    assert plain.data["username"] == username


async def test_an_unknown_username_is_reported(client):
    """An unknown username is 404."""
    expect_error(await client.author_named(new_author().username), 404, "author_not_found")


@pytest.mark.parametrize(
    "query", ["/author", "/author?username=", "/author?username=b%20b", "/author?username=" + "u" * 31]
)
async def test_a_username_must_be_one(client, query):
    """GET /author without a username, or with what can be none, is 422 and names it."""
    expect_error(await client.request("GET", query), 422, "invalid", "username")


async def test_the_counts_are_those_of_others_too(client):
    """Followers, following and cheeps are counted as they come and go."""
    bob, alice = await sign_up(client), await sign_up(client)
    await follow(client, bob, alice)
    cheep = await post(client, bob, "Hello")
    data = (await client.author(bob.author_id)).data
    assert (data["followers"], data["following"], data["cheeps"]) == (0, 1, 1)
    await projected(client, await client.delete_cheep(cheep, bob.author_id))
    await projected(client, await client.unfollow(bob.author_id, alice.author_id))
    data = (await client.author(bob.author_id)).data
    assert (data["followers"], data["following"], data["cheeps"]) == (0, 0, 0)
    assert (await client.author(alice.author_id)).data["followers"] == 0


# --- PATCH /author ---------------------------------------------------------------------------------------------------


async def test_a_profile_is_changed_at_once(client):
    """The response is 200 with the author's id, and every field shows."""
    bob = await sign_up(client)
    reply = await client.update_profile(bob.author_id, **PROFILE)
    assert (reply.status, reply.data) == (200, {"author_id": bob.author_id})
    assert await profile_of(client, bob.author_id, reply) == PROFILE


@pytest.mark.parametrize("field", PROFILE)
async def test_a_field_that_is_left_out_stays_and_null_clears_it(client, field):
    """Of a profile one field is changed or cleared, the others stay."""
    bob = await sign_up(client)
    await client.update_profile(bob.author_id, **PROFILE)
    other = {"website": "http://other.example/", "birth_date": "2001-12-31"}.get(field, "Other")
    changed = await client.update_profile(bob.author_id, **{field: other})
    assert await profile_of(client, bob.author_id, changed) == {**PROFILE, field: other}
    cleared = await client.update_profile(bob.author_id, **{field: None})
    assert await profile_of(client, bob.author_id, cleared) == {**PROFILE, field: None}


@pytest.mark.parametrize("fields", [{}, {"name": "Bób"}, PROFILE], ids=len)
async def test_a_change_to_what_is_so_changes_nothing(client, fields):
    """No field, or fields as they are, has the response 200 and changes nothing."""
    bob = await sign_up(client)
    await client.update_profile(bob.author_id, **PROFILE)
    reply = await projected(client, await client.update_profile(bob.author_id, **fields))
    assert reply.status == 200
    assert (await client.command_status(reply.message_id)).data["changed"] is False


async def test_a_profile_of_an_unknown_author_is_refused(client):
    """An unknown author's profile is 404."""
    expect_error(await client.update_profile(new_id(), name="Bob"), 404, "author_not_found")


async def test_another_name_shows_in_lists(client):
    """The lists of followers and following show current names."""
    bob, alice = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    for number, person in enumerate((alice, bob)):
        await projected(client, await client.update_profile(person.author_id, name=f"New {number}"))
    assert [entry["name"] for entry in (await client.followers(bob.author_id)).data["authors"]] == ["New 0"]
    assert [entry["name"] for entry in (await client.following(alice.author_id)).data["authors"]] == ["New 1"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "n" * 51),
        ("name", "n\x07"),
        ("name", 7),
        ("bio", "b" * 161),
        ("location", "l" * 31),
        ("website", "ftp://bob.com"),
        ("website", "https://bob.com/" + "b" * 185),
        ("birth_date", "2000-02-30"),
        ("birth_date", TOMORROW),
        ("username", "other"),
        ("email", "bob@bob.com"),
        ("author_id", "a64a52cc-3ee9-4a15-918b-099e18b43119"),
    ],
)
async def test_wrong_fields_of_a_profile_are_named(client, field, value):
    """Each kind of wrong field, one that cannot be changed too, is 422 `invalid` and named; the rest is not done."""
    bob = await sign_up(client)
    reply = await client.command("PATCH", f"/author/{bob.author_id}", {"location": "There", field: value})
    expect_error(reply, 422, "invalid", field)
    assert (await client.author(bob.author_id)).data["location"] is None


# --- PUT /author/{author_id}/email -----------------------------------------------------------------------------------


async def test_an_address_is_changed_at_once(client):
    """The response is 200 with the author's id; the old address is free, the new taken, and neither is shown."""
    bob, alice, charlie = await sign_up(client), new_author(), new_author()
    reply = await client.change_email(bob.author_id, alice.email)
    assert (reply.status, reply.data) == (200, {"author_id": bob.author_id})
    assert alice.email not in reply.raw.decode()
    expect_error(await client.sign_up(alice.author_id, alice.username, alice.email), 409, "email_taken")
    assert (await client.sign_up(charlie.author_id, charlie.username, bob.email)).status == 201
    shown = await client.author(bob.author_id, after=reply.message_id, timeout=10)
    assert alice.email not in shown.raw.decode()


async def test_the_same_address_changes_nothing(client):
    """The address as it is has the response 200 and changes nothing; another spelling of it is a change."""
    bob = await sign_up(client)
    for email, changed in ((bob.email, False), (bob.email.upper(), True), (bob.email.upper(), False)):
        reply = await projected(client, await client.change_email(bob.author_id, email))
        assert reply.status == 200
        assert (await client.command_status(reply.message_id)).data["changed"] is changed


async def test_somebody_elses_address_is_refused(client):
    """Addresses are unique without regard to case."""
    bob, alice = await sign_up(client), await sign_up(client)
    for email in (alice.email, alice.email.upper()):
        expect_error(await client.change_email(bob.author_id, email), 409, "email_taken")


async def test_an_address_of_an_unknown_author_is_refused(client):
    """An unknown author's address is 404."""
    expect_error(await client.change_email(new_id(), new_author().email), 404, "author_not_found")


@pytest.mark.parametrize("email", [None, "", "bob", "bob@", "@bob.com", "bob@bob@bob.com", 7, ["bob@bob.com"]])
async def test_a_wrong_address_is_named(client, email):
    """An invalid address is 422 `invalid`, and the field is named."""
    reply = await client.command("PUT", f"/author/{new_id()}/email", {"email": email})
    expect_error(reply, 422, "invalid", "email")
