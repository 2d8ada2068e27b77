"""Rules of every command: its response, its key, and errors at the edge."""

import asyncio
import uuid

import httpx
import msgspec
import pytest

from cheeper_e2e.actions.actions import EXAMPLES, Scene
from cheeper_e2e.authors import expect_error, new_id, projected, settled

pytestmark = pytest.mark.proves(guarantee="idempotent-commands")

LIMIT = 64 * 1024
JSON = {"Content-Type": "application/json"}
OK = (httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED)
WITH_BODY = [name for name, example in EXAMPLES.items() if example(Scene("any")).body is not None]
ANSWERS = {
    "sign-up": {"author_id"},
    "profile": {"author_id"},
    "email": {"author_id"},
    "follow": {"follow_id", "from_author_id", "to_author_id"},
    "unfollow": {"from_author_id", "to_author_id"},
    "mute": {"author_id", "muted_id"},
    "unmute": {"author_id", "muted_id"},
    "block": {"author_id", "blocked_id"},
    "unblock": {"author_id", "blocked_id"},
    "post": {"cheep_id"},
    "update": {"cheep_id"},
    "delete": {"cheep_id"},
    "answer": {"cheep_id", "in_reply_to"},
}
REQUIRED = {
    "sign-up": {"username", "email"},
    "email": {"email"},
    "follow": {"from_author_id", "to_author_id"},
    "post": {"author_id", "message"},
    "update": {"author_id", "message"},
    "answer": {"author_id", "message"},
}
MADE = {"sign-up": "author_id", "follow": "follow_id", "post": "cheep_id", "answer": "cheep_id"}

each_command = pytest.mark.parametrize("name", EXAMPLES)
each_body = pytest.mark.parametrize("name", WITH_BODY)


async def send(client, action, **changed):
    """An action with a key, or with other parts."""
    action = msgspec.structs.replace(action, **{part: value for part, value in changed.items() if part != "key"})
    return await client.command(action.method, action.path, action.body, params=action.params, key=changed.get("key"))


def example(name):
    """Return the command about unknown authors."""
    return EXAMPLES[name](Scene(new_id()))


@pytest.fixture
async def scene(client):
    """A scene in which each example does something."""
    scene = Scene(new_id())
    for number in (0, 1, 4):
        await projected(client, await send(client, scene.sign_up(number, username_of=number, email_of=number)))
    for action in (scene.follow(0, 1, 9), scene.mute(0, 1), scene.block(0, 4)):
        await projected(client, await send(client, action))
    await projected(client, await send(client, scene.post_cheep(0, 0, 0)))
    return scene


# --- what is answered ------------------------------------------------------------------------------------------------


@each_command
async def test_each_command_has_its_response(client, scene, name):
    """The response has a command's ids as they were given, and its message id in body and header; then it is done."""
    action = EXAMPLES[name](scene)
    key = new_id()
    reply = await send(client, action, key=key)
    assert reply.status in OK, reply.curl
    assert (reply.message_id, reply.headers["x-message-id"]) == (key, key)
    assert reply.headers["content-type"].startswith("application/json")
    assert set(reply.data) == ANSWERS[name]
    for field, value in reply.data.items():
        assert action.is_about(value) or value in action.path, field
    assert (await settled(client, key)).data["changed"] is True


@each_command
async def test_chapter7_is_the_same_api(client, scene, name):
    """A command below /chapter7 is the command without it, its key and its errors too."""
    action, key = EXAMPLES[name](scene), new_id()
    below = await send(client, action, path=f"/chapter7{action.path}", key=key)
    plain = await send(client, action, key=key)
    assert below.status in OK
    assert (plain.status, plain.data, plain.message_id) == (below.status, below.data, key)
    wrong = await send(client, action, path=f"/chapter7{action.path}", params={**(action.params or {}), "x": "1"})
    expect_error(wrong, 422, "invalid", "x")


@each_command
async def test_ids_may_come_in_upper_case(client, scene, name):
    """Ids in upper case are the same ids, and lower-case in responses."""
    action, key = EXAMPLES[name](scene), new_id()
    plain = await send(client, action, key=key)

    def upper(text):
        return text.upper() if isinstance(text, str) and len(text) == 36 else text

    def in_upper_case(values):
        return values and {field: upper(value) for field, value in values.items()}

    path = "/".join(map(upper, action.path.split("/")))
    reply = await send(
        client, action, path=path, body=in_upper_case(action.body), params=in_upper_case(action.params), key=key
    )
    assert (reply.status, reply.data) == (plain.status, plain.data)


@pytest.mark.parametrize("name", MADE)
async def test_ids_that_are_left_out_are_made(client, callers, scene, name):
    """An id that the client leaves out is made, of version 7, and again the same when the command is repeated.

    With tokens, an author signs up with its own id alone.
    """
    action, made = EXAMPLES[name](scene), MADE[name]
    body = {field: value for field, value in action.body.items() if field != made}
    reply = await client.request(action.method, action.path, body=body)
    if callers is not None and name == "sign-up":
        expect_error(reply, 403, "not_allowed")
        return
    again = await send(client, action, body=body, key=reply.message_id)
    assert again.data == reply.data
    one = reply.data[made]
    assert (str(uuid.UUID(one)), uuid.UUID(one).version) == (one, 7)
    assert one != reply.message_id
    await projected(client, reply)


# --- the same message id ---------------------------------------------------------------------------------------------


@each_command
async def test_the_same_key_and_request_get_the_same_response(client, scene, name):
    """The key is the message id; a repeat gets the same status, data and id, also when its action is done already."""
    action, key = EXAMPLES[name](scene), new_id()
    first = await send(client, action, key=key)
    second = await send(client, action, key=key)
    status = await settled(client, key)
    third = await send(client, action, key=key)
    for repeated in (second, third):
        assert (repeated.status, repeated.data, repeated.message_id) == (first.status, first.data, key)
    assert (await client.command_status(key)).data == status.data


@each_command
async def test_the_same_key_with_another_request_is_refused(client, scene, name):
    """A key belongs to one request: another one of the kind or of another kind with it is 409."""
    key = new_id()
    await send(client, EXAMPLES[name](scene), key=key)
    expect_error(await send(client, example(name), key=key), 409, "message_id_reused")
    names = list(EXAMPLES)
    other = names[(names.index(name) + 1) % len(names)]
    expect_error(await send(client, EXAMPLES[other](scene), key=key), 409, "message_id_reused")


@each_command
async def test_a_repeated_refusal_is_the_same(client, name):
    """A command that was refused, or accepted and then rejected, gets the same response again."""
    action, key = example(name), new_id()
    first = await send(client, action, key=key)
    status = await settled(client, key)
    again = await send(client, action, key=key)
    assert (again.status, again.data) == (first.status, first.data)
    expected = "projected" if name == "sign-up" else "rejected"
    assert status.data["status"] == expected


@each_command
@pytest.mark.parametrize("key", ["bob", "1", "a64a52cc-3ee9-4a15-918b", "00000000-0000-0000-0000-000000000000"])
async def test_a_key_is_a_uuid(client, name, key):
    """An Idempotency-Key that is no UUID, or the nil UUID, is 422."""
    expect_error(await send(client, example(name), key=key), 422, "invalid", "Idempotency-Key")


@each_command
async def test_one_key_at_once_through_all_replicas_has_one_effect(patient, scene, name):
    """However many send the same request with the same key at the same time, all hear the same."""
    action, key = EXAMPLES[name](scene), new_id()
    replies = await asyncio.gather(*(send(patient, action, key=key) for _ in range(10)))
    assert {(reply.status, reply.message_id) for reply in replies} == {(replies[0].status, key)}
    assert all(reply.data == replies[0].data for reply in replies)
    assert (await settled(patient, key)).data["changed"] is True


# --- what is refused at the edge -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REQUIRED)
async def test_missing_fields_are_named(client, name):
    """An empty object lacks all that is required."""
    expect_error(await send(client, example(name), body={}), 422, "invalid", *REQUIRED[name])


@each_body
async def test_unknown_fields_are_named(client, name):
    """A field that a command does not have is refused, not skipped; so is one that another command has."""
    action = example(name)
    expect_error(
        await send(client, action, body={**action.body, "x": 1, "in_reply_to": "y"}), 422, "invalid", "x", "in_reply_to"
    )


@each_command
@pytest.mark.parametrize("parameter", ["x", "after", "timeout"])
async def test_unknown_query_parameters_are_named(client, name, parameter):
    """An unknown query parameter is 422 and named."""
    action = example(name)
    reply = await send(client, action, params={**(action.params or {}), parameter: "1"})
    expect_error(reply, 422, "invalid", parameter)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("profile", "author_id"),
        ("email", "author_id"),
        ("unfollow", "from_author_id"),
        ("unfollow", "to_author_id"),
        ("mute", "muted_id"),
        ("block", "blocked_id"),
        ("update", "cheep_id"),
        ("delete", "cheep_id"),
        ("answer", "in_reply_to"),
    ],
)
@pytest.mark.parametrize("wrong", ["bob", "1", "a64a52cc-3ee9-4a15-918b", "%00"])
async def test_an_id_in_a_path_is_a_uuid(client, name, field, wrong):
    """A path with something else in an id's place is 422 and names it; that of the cheep which is answered too."""
    action = example(name)
    parts = action.path.split("/")
    ids = [place for place, part in enumerate(parts) if len(part) == 36]
    parts[ids[-1] if field in {"to_author_id", "muted_id", "blocked_id"} else ids[0]] = wrong
    expect_error(await send(client, action, path="/".join(parts)), 422, "invalid", field)


@each_body
@pytest.mark.parametrize(
    "content", [b"", b"{", b"{'a': 1}", b'{"message": "\xff"}', b"nope", b'{"a": NaN}', b"{} {}"], ids=repr
)
async def test_what_is_no_json_is_refused(client, name, content):
    """A body that is not JSON is 400 `malformed_json`."""
    action = example(name)
    expect_error(await client.request(action.method, action.path, content=content, headers=JSON), 400, "malformed_json")


@each_body
@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"7"], ids=repr)
async def test_json_that_is_no_object_is_refused(client, name, content):
    """A body that is JSON but no object is 422 `invalid`."""
    action = example(name)
    reply = await client.request(action.method, action.path, content=content, headers=JSON)
    assert (reply.status, reply.data["code"]) == (422, "invalid")


@pytest.mark.parametrize("name", ["post", "update", "answer"])
@pytest.mark.parametrize("message", ["\\ud800", "\\udfff x"])
async def test_half_a_surrogate_pair_is_no_text(client, name, message):
    """An escape that names no character is refused as a client's mistake."""
    action = example(name)
    content = f'{{"author_id": "{new_id()}", "message": "{message}"}}'.encode()
    reply = await client.request(action.method, action.path, content=content, headers=JSON)
    assert reply.status in (400, 422)


@each_body
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", None])
async def test_other_content_types_are_refused(client, name, content_type):
    """A body that is not declared as JSON is 415."""
    action = example(name)
    headers = {"Content-Type": content_type} if content_type else {}
    reply = await client.request(action.method, action.path, content=b"{}", headers=headers)
    expect_error(reply, 415, "unsupported_media_type")


@pytest.mark.variants
@each_body
async def test_json_with_a_charset_is_json(client, scene, name):
    """Parameters of the content type are no reason to refuse."""
    action, headers = EXAMPLES[name](scene), {"Content-Type": "application/json; charset=utf-8"}
    assert (await client.request(action.method, action.path, body=action.body, headers=headers)).status in OK


@each_body
async def test_a_body_over_64_kib_is_refused(client, name):
    """64 KiB are read, one byte more is 413, declared or chunked."""
    action = example(name)
    fits = await client.request(
        action.method, action.path, content=b'{"x":"' + b"x" * (LIMIT - 8) + b'"}', headers=JSON
    )
    assert (fits.status, fits.data["code"]) == (422, "invalid")
    too_large = b'{"x":"' + b"x" * (LIMIT - 7) + b'"}'
    expect_error(
        await client.request(action.method, action.path, content=too_large, headers=JSON), 413, "body_too_large"
    )

    async def chunks():
        for start in range(0, len(too_large), 4096):
            yield too_large[start : start + 4096]

    expect_error(
        await client.request(action.method, action.path, content=chunks(), headers=JSON), 413, "body_too_large"
    )


@pytest.mark.variants
@each_body
async def test_a_chunked_body_that_fits_is_read(client, scene, name):
    """A body without Content-Length is as good as one with it."""
    action = EXAMPLES[name](scene)
    content = msgspec.json.encode(action.body)

    async def chunks():
        yield content[:10]
        yield content[10:]

    assert (await client.request(action.method, action.path, content=chunks(), headers=JSON)).status in OK
