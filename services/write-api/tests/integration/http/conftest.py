"""Fixtures of the tests of the HTTP role: the application, served, and checks of its responses."""

import msgspec
import pytest
from write_api_serving import served

from cheeper_contracts.http.responses import STATUS_OF
from write_api import setup
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
    told = settings_of(postgres_url, kafka_bootstrap, topic_prefix)
    assert await setup.run_migrate(told) == 0
    return told


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
    answers = [
        await sync_client.post("/author", json={"username": name, "email": f"{name}@example.com"})
        for name in ("alice", "bob")
    ]
    return [answer.json()["data"]["author_id"] for answer in answers]


@pytest.fixture
async def cheep(sync_client, people):
    """The id of a cheep by Bob."""
    answer = await sync_client.post("/cheep", json={"author_id": people[1], "message": "Hello"})
    return answer.json()["data"]["cheep_id"]


@pytest.fixture
def refused():
    """Checks that an answer is the refusal with a code, of these fields."""

    def check(reply, code, *fields):
        answer = reply.json()
        assert (reply.status_code, answer["data"]["code"]) == (STATUS_OF[code], code), answer
        assert answer["data"]["message"]
        assert [field["field"] for field in answer["data"].get("fields", [])] == list(fields)
        assert reply.headers["x-message-id"] == answer["meta"]["message_id"]

    return check


@pytest.fixture
def done():
    """Checks that an answer is of a command that was done, and says so with this status."""

    def check(reply, status, **data):
        assert (reply.status_code, reply.json()["data"]) == (status, data)

    return check
