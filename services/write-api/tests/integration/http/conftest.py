"""Fixtures of the tests of the HTTP role: the application, served, and checks of its responses."""

import msgspec
import pytest
from write_api_serving import served

from cheeper_contracts.http.responses import STATUS_OF
from write_api.bootstrap import setup
from write_api.bus.dispatcher import Transport
from write_api.settings import from_env


@pytest.fixture
def serving():
    """Serves the HTTP role with the settings that it is given."""
    return served


@pytest.fixture
def settings_of():
    """The settings of the HTTP role on these servers."""

    def make(postgres, kafka, prefix="", transports=""):
        given = {"DATABASE_URL": postgres, "KAFKA_BOOTSTRAP_SERVERS": kafka, "TOPIC_PREFIX": prefix, "PORT": "0"}
        return from_env(given | ({"COMMAND_TRANSPORTS": transports} if transports else {}), "http")

    return make


@pytest.fixture
def all_with():
    """The same settings with one transport for all commands."""

    def change(settings, transport):
        return msgspec.structs.replace(settings, transports=dict.fromkeys(settings.transports, transport))

    return change


@pytest.fixture
async def settings(settings_of, postgres_url, kafka_bootstrap, topic_prefix):
    settings = settings_of(postgres_url, kafka_bootstrap, topic_prefix)
    assert await setup.run_migrate(settings) == 0
    return settings


@pytest.fixture
async def client(settings):
    async with served(settings) as client:
        yield client


@pytest.fixture
async def sync_client(settings_of, all_with, engine, postgres_url):  # noqa: ARG001 - the engine made the schema
    """A client whose commands are all run at once, without Kafka."""
    async with served(all_with(settings_of(postgres_url, "127.0.0.1:1"), Transport.SYNC)) as client:
        yield client


@pytest.fixture
async def people(sync_client):
    """The ids of two authors, Alice and Bob."""
    responses = [
        await sync_client.post("/author", json={"username": name, "email": f"{name}@example.com"})
        for name in ("alice", "bob")
    ]
    return [response.json()["data"]["author_id"] for response in responses]


@pytest.fixture
async def cheep(sync_client, people):
    """The id of a cheep by Bob."""
    response = await sync_client.post("/cheep", json={"author_id": people[1], "message": "Hello"})
    return response.json()["data"]["cheep_id"]


@pytest.fixture
def refused():
    """Check that a response is the refusal with a code, of these fields."""

    def check(reply, code, *fields):
        body = reply.json()
        assert (reply.status_code, body["data"]["code"]) == (STATUS_OF[code], code), body
        assert body["data"]["message"]
        assert [field["field"] for field in body["data"].get("fields", [])] == list(fields)
        assert reply.headers["x-message-id"] == body["meta"]["message_id"]

    return check


@pytest.fixture
def done():
    """Check that a response is of a command that was done, with this status."""

    def check(reply, status, **data):
        assert (reply.status_code, reply.json()["data"]) == (status, data)

    return check
