"""Commands through the gateway: what each answers, what each refuses, and that repeating one changes nothing."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from cheeper_e2e.people import follow, new_id, post, refused, shown, sign_up, somebody

LIMIT = 64 * 1024
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
COMMANDS = ["/author", "/follow", "/cheep"]


def valid(path):
    """A body that the path takes, with ids of nobody else."""
    person = somebody()
    return {
        "/author": {"author_id": person.author_id, "username": person.username, "email": person.email},
        "/follow": {"from_author_id": new_id(), "to_author_id": new_id()},
        "/cheep": {"author_id": new_id(), "message": "Hello"},
    }[path]


# --- what is answered ------------------------------------------------------------------------------------------------


async def test_a_sign_up_is_done_at_once(client):
    """POST /author answers 201 with the author's id, and its message id in meta and header."""
    person = somebody()
    reply = await client.sign_up(person.author_id, person.username, person.email)
    assert (reply.status, reply.data) == (201, {"author_id": person.author_id})
    assert reply.headers["x-message-id"] == reply.message_id
    assert reply.headers["content-type"].startswith("application/json")


async def test_a_follow_is_accepted(client):
    """POST /follow answers 202 with the three ids, the follow's as the client chose it."""
    alice, bob = await sign_up(client), await sign_up(client)
    follow_id = new_id()
    reply = await client.follow(alice.author_id, bob.author_id, follow_id=follow_id)
    assert reply.status == 202
    assert reply.data == {"follow_id": follow_id, "from_author_id": alice.author_id, "to_author_id": bob.author_id}


async def test_a_cheep_is_accepted(client):
    """POST /cheep answers 202 with the cheep's id as the client chose it."""
    bob, cheep_id = await sign_up(client), new_id()
    reply = await client.post_cheep(bob.author_id, "Hello", cheep_id=cheep_id)
    assert (reply.status, reply.data) == (202, {"cheep_id": cheep_id})


@pytest.mark.parametrize(("path", "made"), [("/author", "author_id"), ("/follow", "follow_id"), ("/cheep", "cheep_id")])
async def test_ids_that_are_left_out_are_made(client, path, made):
    """An id that the client leaves out is made, of version 7, and again the same when the command is repeated."""
    body = {name: value for name, value in valid(path).items() if name != made or path == "/cheep"}
    reply = await client.request("POST", path, body=body)
    again = await client.command("POST", path, body, key=reply.message_id)
    assert again.data == reply.data
    one = reply.data[made]
    assert (str(uuid.UUID(one)), uuid.UUID(one).version) == (one, 7)
    assert one != reply.message_id


async def test_ids_are_lower_case_in_answers(client):
    """Ids may come in upper case and are the same ids."""
    bob = somebody()
    reply = await client.sign_up(bob.author_id.upper(), bob.username, bob.email)
    assert reply.data["author_id"] == bob.author_id
    cheep_id = new_id()
    reply = await client.post_cheep(bob.author_id.upper(), "Hello", cheep_id=cheep_id.upper())
    assert reply.data == {"cheep_id": cheep_id}
    await shown(client, reply, bob.author_id)
    assert (await client.cheep(cheep_id.upper())).data["author_id"] == bob.author_id


@pytest.mark.parametrize("path", COMMANDS)
async def test_chapter7_is_the_same_api(client, path):
    """A command below /chapter7 is the command without it, errors and keys too."""
    body, key = valid(path), new_id()
    with_prefix = await client.command("POST", f"/chapter7{path}", body, key=key)
    without = await client.command("POST", path, body, key=key)
    assert with_prefix.status in (201, 202)
    assert (without.status, without.data, without.message_id) == (with_prefix.status, with_prefix.data, key)
    refused(await client.command("POST", f"/chapter7{path}", {**body, "x": 1}), 422, "invalid", "x")


# --- acts that are already true --------------------------------------------------------------------------------------


async def test_a_second_sign_up_of_the_same_author_changes_nothing(client):
    """The same id with the same content and a new key is answered with 200."""
    person = await sign_up(client)
    reply = await client.sign_up(person.author_id, person.username, person.email)
    assert (reply.status, reply.data) == (200, {"author_id": person.author_id})


async def test_a_second_follow_of_the_pair_changes_nothing(client):
    """A second follow with another follow id is accepted and counted once."""
    alice, bob = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    again = await client.follow(alice.author_id, bob.author_id, follow_id=new_id())
    assert again.status == 202
    reply = await client.followers_counter(bob.author_id, after=again.message_id)
    assert (reply.data["numberOfFollowers"], reply.meta.get("stale")) == (1, None)


async def test_a_second_post_of_the_same_cheep_changes_nothing(client):
    """The same cheep id with the same content stands on a timeline once."""
    alice, bob = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    cheep_id = await post(client, bob, "Hello")
    await post(client, bob, "Hello", cheep_id=cheep_id)
    assert [cheep["cheep_id"] for cheep in await client.whole_timeline(alice.author_id)] == [cheep_id]
    assert (await client.author(bob.author_id)).data["cheeps"] == 1


# --- what the domain refuses -----------------------------------------------------------------------------------------


async def test_a_taken_username_is_refused(client):
    """Usernames are unique without regard to case."""
    taken = await sign_up(client)
    other = somebody()
    refused(await client.sign_up(other.author_id, taken.username.upper(), other.email), 409, "username_taken")


async def test_a_taken_email_is_refused(client):
    """E-mail addresses are unique without regard to case."""
    taken = await sign_up(client)
    other = somebody()
    refused(await client.sign_up(other.author_id, other.username, taken.email.upper()), 409, "email_taken")


async def test_a_taken_author_id_is_refused(client):
    """An author's id with other content is refused."""
    taken = await sign_up(client)
    other = somebody()
    refused(await client.sign_up(taken.author_id, other.username, other.email), 409, "author_id_taken")


async def test_nobody_follows_oneself(client):
    """A follow of oneself is refused at once."""
    bob = await sign_up(client)
    refused(await client.follow(bob.author_id, bob.author_id), 422, "cannot_follow_self")
    refused(await client.follow(bob.author_id, bob.author_id.upper()), 422, "cannot_follow_self")


async def test_a_taken_follow_id_lets_nobody_follow(client):
    """A follow with the id of another pair's follow is rejected later, and counts for nobody."""
    alice, bob, charlie = await sign_up(client), await sign_up(client), await sign_up(client)
    follow_id = new_id()
    await client.follow(alice.author_id, bob.author_id, follow_id=follow_id)
    rejected = await client.follow(charlie.author_id, alice.author_id, follow_id=follow_id)
    first = await client.followers_counter(bob.author_id, after=rejected.message_id)
    counter = await client.followers_counter(alice.author_id, after=rejected.message_id)
    assert {first.data["numberOfFollowers"], counter.data["numberOfFollowers"]} == {0, 1}


async def test_a_cheep_id_with_other_content_keeps_the_first(client):
    """A post with the id of a cheep that says something else is rejected later."""
    bob, charlie = await sign_up(client), await sign_up(client)
    cheep_id = await post(client, bob, "First")
    for author in (bob, charlie):
        rejected = await client.post_cheep(author.author_id, "Second", cheep_id=cheep_id)
        assert rejected.status == 202
        reply = await client.cheep(cheep_id, after=rejected.message_id)
        assert (reply.data["cheep_message"], reply.data["author_id"]) == ("First", bob.author_id)
        assert "stale" not in reply.meta


async def test_a_cheep_of_nobody_is_never_shown(client):
    """A post by an author who never signed up is accepted, rejected later, and leaves nothing."""
    cheep_id = new_id()
    rejected = await client.post_cheep(new_id(), "Hello", cheep_id=cheep_id)
    assert rejected.status == 202
    refused(await client.cheep(cheep_id, after=rejected.message_id), 404, "cheep_not_found")


async def test_a_follow_with_nobody_is_never_counted(client):
    """A follow of or by an author who never signed up is rejected later."""
    bob, nobody = await sign_up(client), new_id()
    rejected = await client.follow(nobody, bob.author_id)
    counter = await client.followers_counter(bob.author_id, after=rejected.message_id)
    assert counter.data["numberOfFollowers"] == 0
    rejected = await client.follow(bob.author_id, nobody)
    refused(await client.followers_counter(nobody, after=rejected.message_id), 404, "author_not_found")


# --- what is refused at the edge -------------------------------------------------------------------------------------


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
async def test_wrong_fields_of_a_sign_up_are_named(client, field, value):
    """Each kind of wrong field is 422 `invalid` and names the field."""
    refused(await client.command("POST", "/author", {**valid("/author"), field: value}), 422, "invalid", field)


@pytest.mark.parametrize("field", ["from_author_id", "to_author_id", "follow_id", "since"])
@pytest.mark.parametrize("value", ["bob", "", 7, {}, "a64a52cc-3ee9-4a15-918b"])
async def test_wrong_fields_of_a_follow_are_named(client, field, value):
    """Each kind of wrong id is 422 `invalid` and names the field."""
    refused(await client.command("POST", "/follow", {**valid("/follow"), field: value}), 422, "invalid", field)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("author_id", "bob"),
        ("cheep_id", "bob"),
        ("message", None),
        ("message", ""),
        ("message", "  \n "),
        ("message", "a" * 261),
        ("message", "\N{GRINNING FACE}" * 261),
        ("message", "tab\there"),
        ("message", "nul\x00here"),
        ("message", "next\x85line"),
        ("message", 7),
        ("in_reply_to", "x"),
    ],
)
async def test_wrong_fields_of_a_cheep_are_named(client, field, value):
    """Each kind of wrong field is 422 `invalid` and names the field."""
    refused(await client.command("POST", "/cheep", {**valid("/cheep"), field: value}), 422, "invalid", field)


async def test_all_wrong_fields_are_named_at_once(client):
    """A client that made several mistakes learns them in one answer."""
    body = {"author_id": "x", "username": "", "bio": "b" * 161, "shoe_size": 43}
    refused(
        await client.command("POST", "/author", body),
        422,
        "invalid",
        "author_id",
        "username",
        "email",
        "bio",
        "shoe_size",
    )


@pytest.mark.parametrize("path", COMMANDS)
async def test_an_empty_object_lacks_all_that_is_required(client, path):
    """Missing fields are named as wrong ones."""
    required = {
        "/author": ("username", "email"),
        "/follow": ("from_author_id", "to_author_id"),
        "/cheep": ("author_id", "message"),
    }[path]
    refused(await client.command("POST", path, {}), 422, "invalid", *required)


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("parameter", ["x", "author_id", "after"])
async def test_commands_take_no_query_parameters(client, path, parameter):
    """An unknown query parameter is 422 and named."""
    reply = await client.request("POST", path, body=valid(path), params={parameter: "1"})
    refused(reply, 422, "invalid", parameter)


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"{'a': 1}", b'{"message": "\xff"}', b"nope", b'{"a": NaN}', b"{} {}"], ids=repr
)
async def test_what_is_no_json_is_refused(client, path, content):
    """A body that is not JSON is 400 `malformed_json`."""
    reply = await client.request("POST", path, content=content, headers={"Content-Type": "application/json"})
    refused(reply, 400, "malformed_json")


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"7"], ids=repr)
async def test_json_that_is_no_object_is_refused(client, path, content):
    """A body that is JSON but no object is 422 `invalid`."""
    reply = await client.request("POST", path, content=content, headers={"Content-Type": "application/json"})
    assert (reply.status, reply.data["code"]) == (422, "invalid")


@pytest.mark.parametrize("message", ["\\ud800", "\\udfff x"])
async def test_half_a_surrogate_pair_is_no_text(client, message):
    """An escape that names no character is refused as a client's mistake."""
    content = f'{{"author_id": "{new_id()}", "message": "{message}"}}'.encode()
    reply = await client.request("POST", "/cheep", content=content, headers={"Content-Type": "application/json"})
    assert reply.status in (400, 422)


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", None])
async def test_other_content_types_are_refused(client, path, content_type):
    """A body that is not declared as JSON is 415."""
    headers = {"Content-Type": content_type} if content_type else {}
    reply = await client.request("POST", path, content=b"{}", headers=headers)
    refused(reply, 415, "unsupported_media_type")


async def test_json_with_a_charset_is_json(client):
    """Parameters of the content type are no reason to refuse."""
    person = somebody()
    reply = await client.request(
        "POST",
        "/author",
        body={"username": person.username, "email": person.email},
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    assert reply.status == 201


@pytest.mark.parametrize("path", COMMANDS)
async def test_a_body_over_64_kib_is_refused(client, path):
    """64 KiB are read, one byte more is 413, declared or chunked."""
    json = {"Content-Type": "application/json"}
    fits = await client.request("POST", path, content=b'{"x":"' + b"x" * (LIMIT - 8) + b'"}', headers=json)
    assert (fits.status, fits.data["code"]) == (422, "invalid")
    too_large = b'{"x":"' + b"x" * (LIMIT - 7) + b'"}'
    refused(await client.request("POST", path, content=too_large, headers=json), 413, "body_too_large")

    async def chunks():
        for start in range(0, len(too_large), 4096):
            yield too_large[start : start + 4096]

    refused(await client.request("POST", path, content=chunks(), headers=json), 413, "body_too_large")


async def test_a_chunked_body_that_fits_is_read(client):
    """A body without Content-Length is as good as one with it."""
    person = somebody()

    async def chunks():
        yield f'{{"username": "{person.username}", '.encode()
        yield f'"email": "{person.email}"}}'.encode()

    reply = await client.request("POST", "/author", content=chunks(), headers={"Content-Type": "application/json"})
    assert reply.status == 201


# --- the same message id ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", COMMANDS)
async def test_the_same_key_and_request_get_the_same_answer(client, path):
    """The key is the message id; a repeat gets the same status, data and id, made ids too."""
    body = {name: value for name, value in valid(path).items() if path != "/author" or name != "author_id"}
    key = new_id()
    first = await client.command("POST", path, body, key=key)
    second = await client.command("POST", path, body, key=key)
    assert first.message_id == key
    assert (second.status, second.data, second.message_id) == (first.status, first.data, key)


@pytest.mark.parametrize("path", COMMANDS)
async def test_the_same_key_with_another_request_is_refused(client, path):
    """A key belongs to one request: another body or another path with it is 409."""
    key = new_id()
    await client.command("POST", path, valid(path), key=key)
    refused(await client.command("POST", path, valid(path), key=key), 409, "message_id_reused")
    other = COMMANDS[(COMMANDS.index(path) + 1) % 3]
    refused(await client.command("POST", other, valid(other), key=key), 409, "message_id_reused")


async def test_a_refusal_is_repeated_too(client):
    """A repeat of a refused command gets the same refusal, though the reason may have gone."""
    taken = await sign_up(client)
    other, key = somebody(), new_id()
    for _ in range(2):
        reply = await client.sign_up(other.author_id, taken.username, other.email, key=key)
        refused(reply, 409, "username_taken")
        assert reply.message_id == key


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("key", ["bob", "1", "a64a52cc-3ee9-4a15-918b"])
async def test_a_key_is_a_uuid(client, path, key):
    """An Idempotency-Key that is no UUID is 422."""
    refused(await client.command("POST", path, valid(path), key=key), 422, "invalid", "Idempotency-Key")


async def test_one_key_at_once_through_all_replicas_has_one_effect(client):
    """However many send the same request with the same key at the same time, it happens once and all hear the same."""
    alice, bob = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    key = new_id()
    replies = await asyncio.gather(*(client.post_cheep(bob.author_id, "Once", key=key) for _ in range(20)))
    assert {(reply.status, reply.data["cheep_id"], reply.message_id) for reply in replies} == {
        (202, replies[0].data["cheep_id"], key)
    }
    await shown(client, replies[0], bob.author_id)
    assert len(await client.whole_timeline(alice.author_id)) == 1


async def test_one_sign_up_at_once_through_all_replicas_makes_one_author(client):
    """Concurrent equal sign-ups with one key get one answer."""
    person, key = somebody(), new_id()
    body = {"username": person.username, "email": person.email}
    replies = await asyncio.gather(*(client.command("POST", "/author", body, key=key) for _ in range(20)))
    assert {(reply.status, reply.data["author_id"]) for reply in replies} == {(201, replies[0].data["author_id"])}


async def test_one_username_goes_to_one_author(client):
    """Of many who ask for one username at once one gets it, the others 409."""
    username = somebody().username
    people = [somebody() for _ in range(10)]
    replies = await asyncio.gather(*(client.sign_up(who.author_id, username, who.email) for who in people))
    assert sorted(reply.status for reply in replies) == [201] + [409] * 9
    assert {reply.data["code"] for reply in replies if reply.status == httpx.codes.CONFLICT} == {"username_taken"}
