"""The HTTP role as clients have it: a served application on real servers."""

import asyncio
import uuid

import msgspec
import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.block import Block
from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.mark_notifications_read import MarkNotificationsRead
from cheeper_contracts.commands.mute import Mute
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.unblock import Unblock
from cheeper_contracts.commands.unfollow import Unfollow
from cheeper_contracts.commands.unmute import Unmute
from cheeper_contracts.commands.update_cheep import UpdateCheep
from cheeper_contracts.commands.update_profile import UpdateProfile
from cheeper_contracts.http import routes
from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.codec import decode_command
from cheeper_contracts.kafka.envelope import from_headers
from cheeper_local.testing import eventually
from write_api.bootstrap import setup
from write_api.bus.dispatcher import Transport

ONE, OTHER, CHEEP = (str(uuid.UUID(int=n)) for n in (1, 2, 3))
REQUESTS = {
    SignUp: ("POST", "/author", {"username": "bob", "email": "bob@bob.com"}),
    UpdateProfile: ("PATCH", f"/author/{ONE}", {"name": "Bob", "bio": None}),
    ChangeEmail: ("PUT", f"/author/{ONE}/email", {"email": "b@bob.com"}),
    Follow: ("POST", "/follow", {"from_author_id": ONE, "to_author_id": OTHER}),
    Unfollow: ("DELETE", f"/author/{ONE}/following/{OTHER}", None),
    Mute: ("PUT", f"/author/{ONE}/muted/{OTHER}", None),
    Unmute: ("DELETE", f"/author/{ONE}/muted/{OTHER}", None),
    Block: ("PUT", f"/author/{ONE}/blocked/{OTHER}", None),
    Unblock: ("DELETE", f"/author/{ONE}/blocked/{OTHER}", None),
    MarkNotificationsRead: ("PUT", f"/author/{ONE}/notifications/read", {"notification_id": OTHER}),
    PostCheep: ("POST", "/cheep", {"author_id": ONE, "message": "Hello"}),
    UpdateCheep: ("PATCH", f"/cheep/{CHEEP}", {"author_id": ONE, "message": "Hello"}),
    DeleteCheep: ("DELETE", f"/cheep/{CHEEP}?author_id={ONE}", None),
    AnswerCheep: ("POST", f"/cheep/{CHEEP}/answer", {"author_id": ONE, "message": "Hello"}),
}
"""A request for each command that clients may send."""
WITH_A_BODY = [command for command, (_, _, body) in REQUESTS.items() if body]


async def send(client, request, headers=None):
    method, path, body = request
    return await client.request(method, path, json=body, headers=headers)


def commands_in(kafka, prefix):
    """All that is in the topic of commands, as (command, envelope)."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "test", "auto.offset.reset": "earliest"})
    name = topics.COMMANDS.named(prefix)
    found = []
    for partition in range(topics.COMMANDS.partitions):
        _, high = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=10)
        consumer.assign([TopicPartition(name, partition, 0)])
        for message in consumer.consume(high, timeout=10) if high else []:
            envelope = from_headers(message.headers())
            assert message.partition() == topics.partition_of(envelope.key)
            found.append((decode_command(envelope.type, message.value()), envelope))
    consumer.close()
    return found


async def test_a_sign_up_is_done_at_once(client):
    """201 with the made id; the same with its message id as key gets the same, and with its id alone 409."""
    reply = await send(client, REQUESTS[SignUp])
    body = reply.json()
    assert (reply.status_code, set(body["data"])) == (201, {"author_id"})
    assert reply.headers["x-message-id"] == body["meta"]["message_id"]
    assert uuid.UUID(body["data"]["author_id"]).version == uuid.UUID(body["meta"]["message_id"]).version == 7
    again = await send(client, REQUESTS[SignUp], {"Idempotency-Key": body["meta"]["message_id"]})
    assert (again.status_code, again.content) == (201, reply.content)
    guess = await client.post("/author", json={**REQUESTS[SignUp][2], **body["data"]})
    assert (guess.status_code, guess.json()["data"]["code"]) == (409, "author_id_taken")


async def test_async_commands_are_in_kafka_before_their_response(serving, settings, all_with):
    """202 with all ids, and the topic holds the command under its key with its envelope."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with serving(all_with(settings, Transport.ASYNC)) as client:
        replies = {command: await send(client, REQUESTS[command], {"traceparent": trace}) for command in REQUESTS}
    assert {reply.status_code for reply in replies.values()} == {202}
    found = commands_in(settings.kafka.bootstrap_servers, settings.topic_prefix)
    by_id = {envelope.message_id: (command, envelope) for command, envelope in found}
    for kind, reply in replies.items():
        command, envelope = by_id[reply.headers["x-message-id"]]
        fields = reply.json()["data"] | (REQUESTS[kind][2] or {})
        assert type(command) is kind
        assert {name: getattr(command, name) for name in fields} == fields
        assert (envelope.correlation_id, envelope.reply_to) == (envelope.message_id, None)
        assert (envelope.key, envelope.traceparent) == (command.key, trace)
    assert by_id[replies[DeleteCheep].headers["x-message-id"]][0] == DeleteCheep(cheep_id=CHEEP, author_id=ONE)
    profile, _ = by_id[replies[UpdateProfile].headers["x-message-id"]]
    assert (profile.bio, profile.location) == (None, msgspec.UNSET)


async def test_one_key_gets_one_response(client, refused):
    """Made ids too, and another request is refused with 409."""
    for request in REQUESTS.values():
        await same_answer_for_one_key(client, request, refused)


async def test_one_key_gets_one_response_at_once(sync_client, refused):
    """If all commands are sync it is no different, refusals included."""
    for request in REQUESTS.values():
        await same_answer_for_one_key(sync_client, request, refused)


async def same_answer_for_one_key(client, request, refused):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = [await send(client, request, key) for _ in range(2)]
    assert first.status_code in (201, 202, 404)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["x-message-id"] == key["Idempotency-Key"]
    another = {"author_id": OTHER, "message": "Hello"}
    refused(await client.post("/cheep", json=another, headers=key), "message_id_reused")


async def test_one_key_gets_one_response_after_the_transport_changed(client, settings, serving):
    """An accepted command stays accepted, and a command that was done stays done, with the same ids."""
    keys = {command: {"Idempotency-Key": str(uuid.uuid4()).upper()} for command in REQUESTS}
    before = {command: await send(client, REQUESTS[command], keys[command]) for command in REQUESTS}
    other_than = {Transport.SYNC: Transport.ASYNC, Transport.ASYNC: Transport.SYNC}
    swapped = {command: other_than[transport] for command, transport in settings.transports.items()}
    async with serving(msgspec.structs.replace(settings, transports=swapped)) as other:
        for command, first in before.items():
            again = await send(other, REQUESTS[command], keys[command])
            assert (again.status_code, again.content) == (first.status_code, first.content)


async def test_the_message_id_of_a_response_is_a_key(sync_client):
    """A client that repeats a command under the id of its response, as a 503 asks for, has one effect."""
    first = await send(sync_client, REQUESTS[SignUp])
    again = await send(sync_client, REQUESTS[SignUp], {"Idempotency-Key": first.headers["x-message-id"]})
    assert (again.status_code, again.content) == (first.status_code, first.content)


async def test_the_gateway_s_message_id_is_taken(client):
    """The gateway's id is used unless the client has a key of its own; one that is no UUID is ignored."""
    given, key = str(uuid.uuid4()), str(uuid.uuid4())
    for headers, expected in (
        ({"X-Message-Id": given}, given),
        ({"X-Message-Id": given, "Idempotency-Key": key}, key),
    ):
        reply = await client.post("/nope", headers=headers)
        assert reply.json()["meta"]["message_id"] == reply.headers["x-message-id"] == expected
    assert (await client.post("/nope", headers={"X-Message-Id": "x"})).headers["x-message-id"] != "x"


async def test_refusals_of_sync_commands_have_a_response(sync_client, refused):
    """Each with its own status, and the same each time under one key."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    for _ in range(2):
        refused(await send(sync_client, REQUESTS[PostCheep], key), "author_not_found")
    refused(await send(sync_client, REQUESTS[Follow]), "author_not_found")
    await send(sync_client, REQUESTS[SignUp])
    refused(await sync_client.post("/author", json={"username": "BOB", "email": "x@y.com"}), "username_taken")
    refused(await sync_client.post("/author", json={"username": "x", "email": "BOB@bob.com"}), "email_taken")


async def test_all_errors_of_a_request_are_reported_at_once(client, refused):
    """Header, query parameters, types, rules, missing and unknown fields."""
    reply = await client.post(
        "/author?x=1&y",
        json={"author_id": "x", "bio": 5, "shoe_size": 43, "email": "bob"},
        headers={"Idempotency-Key": "bob"},
    )
    refused(reply, "invalid", "Idempotency-Key", "x", "y", "username", "bio", "shoe_size", "author_id", "email")


async def test_no_author_follows_itself(client, refused):
    """Refused before anything is sent, however the id is spelled."""
    one = "a64a52cc-3ee9-4a15-918b-099e18b43119"
    refused(
        await client.post("/follow", json={"from_author_id": one, "to_author_id": one.upper()}), "cannot_follow_self"
    )


async def test_what_is_no_request_is_refused(client, refused):
    """Bad JSON, another content type, a large body."""
    json = {"Content-Type": "application/json"}
    for command in WITH_A_BODY:
        method, path, _ = REQUESTS[command]
        for content in (b"", b"{", b"\xff", b'{"a": "\\ud800"}', b"[" * 60_000):
            refused(await client.request(method, path, content=content, headers=json), "malformed_json")
        refused(await client.request(method, path, content=b"[]", headers=json), "invalid", "body")
        for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=latin-1"}):
            refused(await client.request(method, path, content=b"{}", headers=headers), "unsupported_media_type")
    for method, path, _ in REQUESTS.values():
        for content in (b"x" * 65_537, _chunks()):
            refused(await client.request(method, path, content=content, headers=json), "body_too_large")


async def _chunks():
    for _ in range(17):
        yield b" " * 4096


async def test_an_unknown_path_or_method_is_reported(client, refused):
    """Another path, and another method with those of both services at the path."""
    refused(await client.post("/author/x/y/z"), "no_such_path")
    for path, allow in (
        ("/author", "GET, HEAD, POST, OPTIONS"),
        (f"/author/{ONE}", "GET, HEAD, PATCH, OPTIONS"),
        (f"/author/{ONE}/email", "PUT, OPTIONS"),
        (f"/author/{ONE}/following/{OTHER}", "DELETE, OPTIONS"),
        ("/follow", "POST, OPTIONS"),
        ("/cheep", "POST, OPTIONS"),
        (f"/cheep/{CHEEP}", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        (f"/cheep/{CHEEP}/answer", "POST, OPTIONS"),
    ):
        reply = await client.request("TRACE", path)
        refused(reply, "method_not_allowed")
        assert reply.headers["allow"] == allow


@pytest.mark.parametrize("cut", [b"", b"1000\r\n  ", b"nonsense\r\n"])
async def test_a_request_that_breaks_off_is_no_defect(client, capsys, cut):
    """A client that disconnects amid the body, or sends no chunk, is neither responded to nor an error."""
    _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    head = "POST /cheep HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode() + b"2\r\n{}\r\n" + cut)
    await writer.drain()
    writer.close()
    printed = []

    def disconnection_is_logged():
        printed.append(capsys.readouterr().out)
        return "client gone" in "".join(printed)

    await eventually(disconnection_is_logged)
    assert "defect" not in "".join(printed)


async def test_a_path_of_read_api_is_known(client, refused):
    """Its methods are named, though they are served elsewhere."""
    reply = await client.delete("/author/x/timeline")
    refused(reply, "method_not_allowed")
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_defect_shows_nothing(client, settings, refused):
    """A broken database schema is 500, in the form of all responses, without SQL."""
    async with await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True) as admin:
        await admin.execute("ALTER TABLE authors DROP COLUMN bio")
    reply = await send(client, REQUESTS[SignUp])
    refused(reply, "internal")
    assert "column" not in reply.text


async def is_ready(client):
    return (await client.get(routes.HEALTH_READY)).status_code == 200


async def waits_for(client, need):
    """Return True if the health page is 503 for this need alone; `events` is a warning, and makes nothing unready."""
    ready = await client.get(routes.HEALTH_READY)
    failed = {name for name, one in ready.json()["data"].items() if not one["ok"]}
    return ready.status_code == 503 and failed - {"events"} == {need}


async def test_without_postgres_sync_commands_are_unavailable(
    own_postgres, kafka_bootstrap, topic_prefix, settings_of, serving, refused
):
    """503 with Retry-After within seconds, async commands go on, and all is well after its return."""
    settings = settings_of(own_postgres.url, kafka_bootstrap, topic_prefix)
    await setup.run_migrate(settings)
    async with serving(settings) as client:
        await eventually(lambda: is_ready(client))
        own_postgres.stop()
        reply = await send(client, REQUESTS[SignUp])
        refused(reply, "unavailable")
        assert reply.headers["retry-after"]
        key = {"Idempotency-Key": str(uuid.uuid4())}
        refused(await send(client, REQUESTS[PostCheep], key), "unavailable")
        assert (await send(client, REQUESTS[PostCheep])).status_code == 202
        await eventually(lambda: waits_for(client, "postgres"))
        own_postgres.start()
        again = {"Idempotency-Key": reply.headers["x-message-id"]}
        assert (await send(client, REQUESTS[SignUp], again)).status_code == 201
        await eventually(lambda: is_ready(client))


async def test_without_kafka_async_commands_are_unavailable(postgres_url, own_kafka, settings_of, serving, refused):
    """503 with Retry-After within seconds, sync commands go on, and a repeat is accepted after its return."""
    settings = settings_of(postgres_url, own_kafka.url)
    await setup.run_migrate(settings)
    async with serving(settings) as client:
        assert (await send(client, REQUESTS[PostCheep])).status_code == 202
        own_kafka.stop()
        reply = await send(client, REQUESTS[PostCheep])
        refused(reply, "unavailable")
        assert (await send(client, REQUESTS[SignUp])).status_code == 201
        await eventually(lambda: waits_for(client, "kafka"))
        own_kafka.start()
        again = {"Idempotency-Key": reply.headers["x-message-id"]}

        async def accepted():
            return (await send(client, REQUESTS[PostCheep], again)).status_code == 202

        await eventually(accepted)


@pytest.mark.usefixtures("engine")
async def test_commands_need_no_kafka_where_all_of_clients_are_sync(postgres_url, settings_of, serving):
    """Neither to be ready nor to be handled; those of process managers are not this role's to send."""
    all_sync = ",".join(f"{command.__name__}=sync" for command in REQUESTS)
    async with serving(settings_of(postgres_url, "127.0.0.1:1", transports=all_sync)) as client:

        async def needs():
            found = (await client.get(routes.HEALTH_READY)).json()["data"]
            return found if all(need["ok"] for need in found.values()) else None

        assert await eventually(needs) == {need: {"ok": True, "why": None} for need in ("postgres", "events")}
        assert (await send(client, REQUESTS[SignUp])).status_code == 201
