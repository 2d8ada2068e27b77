"""The HTTP role as clients have it: a served application on real servers."""

import asyncio
import uuid
from contextlib import asynccontextmanager

import httpx
import msgspec
import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition

from cheeper_contracts import routes, topics
from cheeper_contracts.answers import STATUS_OF
from cheeper_contracts.codec import decode_command
from cheeper_contracts.envelope import from_headers
from cheeper_local.testing import eventually
from write_api import bootstrap
from write_api.commands.transports import Transport
from write_api.http.serve import server_of
from write_api.settings import from_env

BODIES = {
    "/author": {"username": "bob", "email": "bob@bob.com"},
    "/follow": {"from_author_id": str(uuid.UUID(int=1)), "to_author_id": str(uuid.UUID(int=2))},
    "/cheep": {"author_id": str(uuid.UUID(int=1)), "message": "Hello"},
}
MADE = {"/author": "author_id", "/follow": "follow_id", "/cheep": "cheep_id"}
ALL_SYNC = "SignUp=sync,Follow=sync,PostCheep=sync"


@asynccontextmanager
async def serving(settings):
    """A client of the HTTP role, served on a free port."""
    async with bootstrap.http_app(settings) as app:
        server = server_of(app, "127.0.0.1", 0)
        task = asyncio.create_task(server.serve())
        await eventually(lambda: server.started or task.done())
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                yield client
        finally:
            server.should_exit = True
            await task


def settings_of(postgres, kafka, prefix="", transports=""):
    given = {"DATABASE_URL": postgres, "KAFKA_BOOTSTRAP_SERVERS": kafka, "TOPIC_PREFIX": prefix, "PORT": "0"}
    return from_env(given | ({"COMMAND_TRANSPORTS": transports} if transports else {}), "http")


@pytest.fixture
async def settings(postgres_url, kafka_bootstrap, topic_prefix):
    told = settings_of(postgres_url, kafka_bootstrap, topic_prefix)
    assert await bootstrap.run_migrate(told) == 0
    return told


@pytest.fixture
async def client(settings):
    async with serving(settings) as client:
        yield client


def all_sync(settings):
    return msgspec.structs.replace(settings, transports=dict.fromkeys(settings.transports, Transport.SYNC))


@pytest.fixture
async def sync_client(settings):
    async with serving(all_sync(settings)) as client:
        yield client


def refused(reply, code, *fields):
    answer = reply.json()
    assert (reply.status_code, answer["data"]["code"]) == (STATUS_OF[code], code), answer
    assert answer["data"]["message"]
    assert [field["field"] for field in answer["data"].get("fields", [])] == list(fields)
    assert reply.headers["x-message-id"] == answer["meta"]["message_id"]


def commands_in(kafka, prefix):
    """All that is in the topic of commands, as (command, envelope)."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "test", "auto.offset.reset": "earliest"})
    name = topics.COMMANDS.named(prefix)
    found = []
    for partition in range(topics.PARTITIONS):
        _, high = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=10)
        consumer.assign([TopicPartition(name, partition, 0)])
        for message in consumer.consume(high, timeout=10) if high else []:
            envelope = from_headers(message.headers())
            assert message.partition() == topics.partition_of(envelope.key)
            found.append((decode_command(envelope.type, message.value()), envelope))
    consumer.close()
    return found


async def test_a_sign_up_is_done_at_once(client):
    """201 with the made id; the same again by its id 200; the answer carries its message id twice."""
    reply = await client.post("/author", json=BODIES["/author"])
    answer = reply.json()
    assert (reply.status_code, set(answer["data"])) == (201, {"author_id"})
    assert reply.headers["x-message-id"] == answer["meta"]["message_id"]
    assert uuid.UUID(answer["data"]["author_id"]).version == uuid.UUID(answer["meta"]["message_id"]).version == 7
    again = await client.post("/author", json={**BODIES["/author"], **answer["data"]})
    assert (again.status_code, again.json()["data"]) == (200, answer["data"])


async def test_async_commands_are_in_kafka_when_they_are_answered(client, settings):
    """202 with all ids, and the topic holds the command under its key with its envelope."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    replies = [
        await client.post(path, json=BODIES[path], headers={"traceparent": trace}) for path in ("/follow", "/cheep")
    ]
    assert [reply.status_code for reply in replies] == [202, 202]
    assert set(replies[0].json()["data"]) == {"follow_id", "from_author_id", "to_author_id"}
    found = commands_in(settings.kafka_bootstrap_servers, settings.topic_prefix)
    by_id = {envelope.message_id: (command, envelope) for command, envelope in found}
    for reply in replies:
        command, envelope = by_id[reply.headers["x-message-id"]]
        data = reply.json()["data"]
        assert {name: getattr(command, name) for name in data} == data
        assert (envelope.correlation_id, envelope.reply_to) == (envelope.message_id, None)
        assert (envelope.key, envelope.traceparent) == (command.key, trace)


@pytest.mark.parametrize("path", BODIES)
async def test_one_key_gets_one_answer(client, path):
    """Made ids too, and another body is refused with 409."""
    await same_answer_for_one_key(client, path)


@pytest.mark.parametrize("path", BODIES)
async def test_one_key_gets_one_answer_at_once(sync_client, path):
    """Where all commands are sync it is no different, refusals included."""
    await same_answer_for_one_key(sync_client, path)


async def same_answer_for_one_key(client, path):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = [await client.post(path, json=BODIES[path], headers=key) for _ in range(2)]
    assert first.status_code in (201, 202, 404)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["x-message-id"] == key["Idempotency-Key"]
    made = {MADE[path]: str(uuid.uuid4())}
    refused(await client.post(path, json=BODIES[path] | made, headers=key), "message_id_reused")


async def test_one_key_gets_one_answer_after_the_transport_changed(client, settings):
    """What was accepted stays accepted, what was done stays done, with the same ids."""
    keys = {path: {"Idempotency-Key": str(uuid.uuid4()).upper()} for path in BODIES}
    before = {path: await client.post(path, json=BODIES[path], headers=keys[path]) for path in BODIES}
    other_than = {Transport.SYNC: Transport.ASYNC, Transport.ASYNC: Transport.SYNC}
    swapped = {command: other_than[transport] for command, transport in settings.transports.items()}
    async with serving(msgspec.structs.replace(settings, transports=swapped)) as other:
        for path, first in before.items():
            again = await other.post(path, json=BODIES[path], headers=keys[path])
            assert (again.status_code, again.content) == (first.status_code, first.content)


async def test_the_answer_s_message_id_is_a_key(sync_client):
    """A client that repeats a command under the id of its answer, as it is told to after a 503, has one effect."""
    first = await sync_client.post("/author", json=BODIES["/author"])
    key = {"Idempotency-Key": first.headers["x-message-id"]}
    again = await sync_client.post("/author", json=BODIES["/author"], headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)


async def test_the_gateway_s_message_id_is_taken(client):
    """Unless the client has a key of its own; what is no UUID is passed over."""
    given, key = str(uuid.uuid4()), str(uuid.uuid4())
    for headers, expected in (
        ({"X-Message-Id": given}, given),
        ({"X-Message-Id": given, "Idempotency-Key": key}, key),
    ):
        reply = await client.post("/nope", headers=headers)
        assert reply.json()["meta"]["message_id"] == reply.headers["x-message-id"] == expected
    assert (await client.post("/nope", headers={"X-Message-Id": "x"})).headers["x-message-id"] != "x"


async def test_refusals_of_sync_commands_are_answered(sync_client):
    """Each with its own status, and the same each time under one key."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    for _ in range(2):
        refused(await sync_client.post("/cheep", json=BODIES["/cheep"], headers=key), "author_not_found")
    refused(await sync_client.post("/follow", json=BODIES["/follow"]), "author_not_found")
    await sync_client.post("/author", json=BODIES["/author"])
    refused(await sync_client.post("/author", json={"username": "BOB", "email": "x@y"}), "username_taken")
    refused(await sync_client.post("/author", json={"username": "x", "email": "BOB@bob.com"}), "email_taken")


async def test_all_that_is_wrong_with_a_request_is_told_at_once(client):
    """Header, query parameters, types, rules, missing and unknown fields."""
    reply = await client.post(
        "/author?x=1&y",
        json={"author_id": "x", "bio": 5, "shoe_size": 43, "email": "bob"},
        headers={"Idempotency-Key": "bob"},
    )
    refused(reply, "invalid", "Idempotency-Key", "x", "y", "username", "bio", "shoe_size", "author_id", "email")


async def test_nobody_follows_oneself(client):
    """Refused before anything is sent, however the id is spelled."""
    one = "a64a52cc-3ee9-4a15-918b-099e18b43119"
    refused(
        await client.post("/follow", json={"from_author_id": one, "to_author_id": one.upper()}), "cannot_follow_self"
    )


@pytest.mark.parametrize("path", BODIES)
async def test_what_is_no_request_is_refused(client, path):
    """Bad JSON, another content type, a large body, another method, another path."""
    json = {"Content-Type": "application/json"}
    for content in (b"", b"{", b"\xff", b'{"a": "\\ud800"}', b"[" * 60_000):
        refused(await client.post(path, content=content, headers=json), "malformed_json")
    refused(await client.post(path, content=b"[]", headers=json), "invalid", "body")
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=latin-1"}):
        refused(await client.post(path, content=b"{}", headers=headers), "unsupported_media_type")
    for content in (b"x" * 65_537, _chunks()):
        refused(await client.post(path, content=content, headers=json), "body_too_large")
    reply = await client.put(path, json={})
    refused(reply, "method_not_allowed")
    assert reply.headers["allow"] == "POST, OPTIONS"
    refused(await client.post(f"{path}/x/y/z"), "no_such_path")


async def _chunks():
    for _ in range(17):
        yield b" " * 4096


async def test_a_path_of_read_api_is_known(client):
    """Its methods are named, though they are answered elsewhere."""
    reply = await client.delete("/author/x/timeline")
    refused(reply, "method_not_allowed")
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_every_answer_of_a_command_is_documented(client):
    """OpenAPI names every status that a command may have, with a schema, and the body without unknown fields."""
    document = (await client.get(routes.OPENAPI)).json()
    assert set(document["paths"]) == {*BODIES, routes.HEALTH_LIVE, routes.HEALTH_READY}
    for path in BODIES:
        operation = document["paths"][path]["post"]
        expected = {200, 201, 202, *STATUS_OF.values()}
        assert {int(status) for status in operation["responses"]} == expected
        for answer in operation["responses"].values():
            assert answer["content"]["application/json"]["schema"]["$ref"]
        assert operation["requestBody"]["content"]["application/json"]["schema"]["additionalProperties"] is False


async def test_a_defect_shows_nothing(client, settings):
    """A broken database schema is 500, in the form of all answers, without SQL."""
    async with await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True) as admin:
        await admin.execute("ALTER TABLE authors DROP COLUMN bio")
    reply = await client.post("/author", json=BODIES["/author"])
    refused(reply, "internal")
    assert "column" not in reply.text


async def test_without_postgres_sync_commands_are_unavailable(own_postgres, kafka_bootstrap, topic_prefix):
    """503 with Retry-After within seconds, async commands go on, and all is well after its return."""
    settings = settings_of(own_postgres.url, kafka_bootstrap, topic_prefix)
    await bootstrap.run_migrate(settings)
    async with serving(settings) as client:
        assert (await client.get(routes.HEALTH_READY)).status_code == 200
        own_postgres.stop()
        reply = await client.post("/author", json=BODIES["/author"], timeout=10)
        refused(reply, "unavailable")
        assert reply.headers["retry-after"]
        key = {"Idempotency-Key": str(uuid.uuid4())}
        refused(await client.post("/cheep", json=BODIES["/cheep"], headers=key), "unavailable")
        assert (await client.post("/cheep", json=BODIES["/cheep"])).status_code == 202
        ready = await client.get(routes.HEALTH_READY)
        needs = ready.json()["data"]
        assert (ready.status_code, needs["postgres"]["ok"], needs["kafka"]["ok"]) == (503, False, True)
        own_postgres.start()
        again = {"Idempotency-Key": reply.headers["x-message-id"]}
        assert (await client.post("/author", json=BODIES["/author"], headers=again)).status_code == 201
        assert (await client.get(routes.HEALTH_READY)).status_code == 200


async def test_without_kafka_async_commands_are_unavailable(postgres_url, own_kafka):
    """503 with Retry-After within seconds, sync commands go on, and a repeat is accepted after its return."""
    settings = settings_of(postgres_url, own_kafka.url)
    await bootstrap.run_migrate(settings)
    async with serving(settings) as client:
        assert (await client.post("/cheep", json=BODIES["/cheep"])).status_code == 202
        own_kafka.stop()
        reply = await client.post("/cheep", json=BODIES["/cheep"], timeout=10)
        refused(reply, "unavailable")
        assert (await client.post("/author", json=BODIES["/author"])).status_code == 201
        assert (await client.get(routes.HEALTH_READY)).json()["data"]["kafka"]["ok"] is False
        own_kafka.start()
        again = {"Idempotency-Key": reply.headers["x-message-id"]}

        async def accepted():
            return (await client.post("/cheep", json=BODIES["/cheep"], headers=again)).status_code == 202

        await eventually(accepted, 30)


async def test_commands_need_no_kafka_where_all_are_sync(postgres_url, kafka_bootstrap, topic_prefix):
    """Neither to be ready nor to be handled."""
    settings = settings_of(postgres_url, kafka_bootstrap, topic_prefix)
    await bootstrap.run_migrate(settings)
    async with serving(settings_of(postgres_url, "127.0.0.1:1", transports=ALL_SYNC)) as client:
        assert (await client.get(routes.HEALTH_READY)).json()["data"] == {"postgres": {"ok": True, "why": None}}
        assert (await client.post("/author", json=BODIES["/author"])).status_code == 201
