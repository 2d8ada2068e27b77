"""One message id, one effect, one response: with real processes that race, are killed and are given things twice.

Nothing here is timed: a lock or a way to a server holds a process where the test wants it.
"""

import asyncio
import sys
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer
from sqlalchemy import text
from write_api_consumers import envelope_of

from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.envelope import to_headers
from cheeper_local.testing import eventually
from write_api.bootstrap import setup
from write_api.bus.bus import CommandBus
from write_api.bus.outcome import ReceivedCommand
from write_api.db.unit_of_work import PostgresTransactions, lock_of
from write_api.features import FEATURES, HANDLERS
from write_api.settings import from_env

sys.path.insert(0, str(Path(__file__).parent))  # `write_api_…` are shared by these tests alone

from write_api_process import running
from write_api_proxies import WayToKafka, WayToPostgres

CLIENTS = [each.command.__name__ for each in FEATURES if each.endpoint is not None]
OUTCOMES = ("cheeper.command-handled.v1", "cheeper.command-rejected.v1")
WAITING = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"""

each_transport = pytest.mark.parametrize("transport", ["sync", "async"])
pytestmark = [pytest.mark.proves(guarantee="idempotent-commands"), pytest.mark.timeout(400)]


class Services:
    """A database, topics, and processes of write-api on them, as many as a test wants."""

    def __init__(self, engine, postgres_url, kafka, prefix):
        self.engine = engine
        self.environ = {
            "DATABASE_URL": postgres_url,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "TOPIC_PREFIX": prefix,
            "EMAIL_ADDRESSES_IN_KAFKA": "accepted",
        }

    def role(self, role, transport="sync", **environ):
        """A process; `transport` is that of all commands."""
        routing = ",".join(f"{command}={transport}" for command in CLIENTS)
        return running(role, **{**self.environ, "COMMAND_TRANSPORTS": routing, **environ})

    @asynccontextmanager
    async def http(self, transport="sync", **environ):
        """A client of an HTTP process."""
        async with (
            self.role("http", transport, **environ) as process,
            httpx.AsyncClient(base_url=process.url, timeout=60) as client,
        ):
            client.process = process
            yield client

    async def rows(self, statement, **values):
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement), values)).all()

    async def waiting(self, count):
        """Return once so many transactions wait for a lock."""

        async def so_many():
            return (await self.rows(WAITING))[0][0] == count

        await eventually(so_many, what=f"{count} wait")

    async def left_by(self, message_id):
        """The types of the messages that a command left in the outbox."""
        rows = await self.rows("SELECT type FROM outbox WHERE reply_to = :id", id=message_id)
        return [row.type for row in rows]

    async def handled(self, message_id):
        """The same, once there is one."""
        return await eventually(lambda: self.left_by(message_id))

    async def two_authors_and_a_cheep(self):
        """The ids of two authors, and of a cheep and a notification of the first, who follows the second."""
        one, other, cheep, notification = new_id(), new_id(), new_id(), new_id()
        bus = CommandBus(PostgresTransactions(self.engine).begin, lambda: None, HANDLERS, source="/test")
        for command in (
            SignUp(**a_sign_up(author_id=one)),
            SignUp(**a_sign_up(author_id=other)),
            Follow(follow_id=new_id(), from_author_id=one, to_author_id=other),
            PostCheep(cheep_id=cheep, author_id=one, message="Hello"),
            WelcomeAuthor(notification_id=notification, author_id=one),
        ):
            (outcome,) = await bus.handle([ReceivedCommand(command=command, envelope=envelope_of(command, new_id()))])
            assert outcome.changed
        return one, other, cheep, notification

    @asynccontextmanager
    async def held(self, key):
        """Hold the lock of a key, so that its commands wait where they begin."""
        async with self.engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock_of(key)})
            yield


@pytest.fixture
async def services(engine, postgres_url, kafka_bootstrap, topic_prefix):
    services = Services(engine, postgres_url, kafka_bootstrap, topic_prefix)
    assert await setup.run_migrate(from_env(services.environ, "migrate")) == 0
    return services


def new_id():
    return str(uuid.uuid4())


def a_sign_up(**given):
    author_id = given.pop("author_id", new_id())
    return {"author_id": author_id, "username": f"u{author_id[-12:]}", "email": f"{author_id}@example.com", **given}


async def send(client, request, key):
    method, path, body = request
    return await client.request(method, path, json=body, headers={"Idempotency-Key": key})


def requests(one, other, cheep, notification):
    """Each command that clients send, with its key's author: each of these does something."""
    new = new_id()
    return {
        "SignUp": (new, ("POST", "/author", a_sign_up(author_id=new))),
        "UpdateProfile": (one, ("PATCH", f"/author/{one}", {"name": "Somebody"})),
        "ChangeEmail": (one, ("PUT", f"/author/{one}/email", {"email": f"other.{new}@example.com"})),
        "Follow": (one, ("POST", "/follow", {"from_author_id": other, "to_author_id": one})),
        "Unfollow": (other, ("DELETE", f"/author/{one}/following/{other}", None)),
        "Mute": (other, ("PUT", f"/author/{one}/muted/{other}", None)),
        "Unmute": (other, ("DELETE", f"/author/{one}/muted/{other}", None)),
        "PostCheep": (one, ("POST", "/cheep", {"author_id": one, "message": "More"})),
        "UpdateCheep": (one, ("PATCH", f"/cheep/{cheep}", {"author_id": one, "message": "Other"})),
        "AnswerCheep": (other, ("POST", f"/cheep/{cheep}/answer", {"author_id": other, "message": "Why?"})),
        "MarkNotificationsRead": (one, ("PUT", f"/author/{one}/notifications/read", {"notification_id": notification})),
        "DeleteCheep": (one, ("DELETE", f"/cheep/{cheep}?author_id={one}", None)),
        "Block": (one, ("PUT", f"/author/{one}/blocked/{other}", None)),
        "Unblock": (one, ("DELETE", f"/author/{one}/blocked/{other}", None)),
    }


@pytest.mark.variants
@each_transport
async def test_every_command_twice_at_once_through_two_replicas_has_one_effect(services, transport):
    """Both processes get it while neither has handled it, and both give the same response to the byte, then and later;
    another body, path and method is 409 meanwhile and afterwards, through either.
    """
    async with AsyncExitStack() as stack:
        contexts = [services.http(transport), services.http(transport)]
        contexts += [services.role("worker")] if transport == "async" else []
        one, two, *_ = await asyncio.gather(*map(stack.enter_async_context, contexts))
        commands = requests(*await services.two_authors_and_a_cheep())
        assert set(commands) == set(CLIENTS)
        for name, (author, request) in commands.items():
            key = new_id()
            others = [
                ("POST", "/cheep", {"author_id": author, "message": f"not {name}"}),  # of the same author
                ("POST", "/author", a_sign_up()),  # of another one
                ("DELETE", f"/author/{new_id()}/following/{author}", None),
            ]
            async with services.held(author):
                racing = [asyncio.create_task(send(client, request, key)) for client in (one, two)]
                if transport == "sync":
                    await services.waiting(2)
                else:
                    await asyncio.wait(racing)
                    for client in (one, two):
                        for other in others:
                            reply = await send(client, other, key)
                            assert (reply.status_code, reply.json()["data"]["code"]) == (409, "message_id_reused")
            first, second = await asyncio.gather(*racing)
            assert first.status_code == (202 if transport == "async" else 201 if request[0] == "POST" else 200), name
            left = await services.handled(key)
            again = [await send(client, request, key) for client in (one, two)]
            assert {(reply.status_code, reply.content) for reply in (second, *again)} == {
                (first.status_code, first.content)
            }, name
            for client in (one, two):
                for other in others:
                    reply = await send(client, other, key)
                    assert (reply.status_code, reply.json()["data"]["code"]) == (409, "message_id_reused"), name
            assert await services.left_by(key) == left
            assert len(left) == 1, name
            assert left[0] not in OUTCOMES, name


async def test_a_message_id_in_flight_is_refused_to_others_through_another_replica(services):
    """The first command has done its work and not yet committed; another author's with its id waits for that and is
    then 409, without a request to retry.
    """
    way = WayToPostgres(services.environ["DATABASE_URL"])
    async with way.open(), services.http(DATABASE_URL=way.url) as one, services.http() as two:
        key, body = new_id(), a_sign_up()
        way.hold_commits = True
        first = asyncio.create_task(send(one, ("POST", "/author", body), key))
        await way.committing.wait()
        second = asyncio.create_task(send(two, ("POST", "/author", a_sign_up()), key))
        await services.waiting(1)
        way.release.set()
        assert (await first).status_code == 201
        refused = await second
        assert (refused.status_code, refused.json()["data"]["code"]) == (409, "message_id_reused")
    assert await services.left_by(key) == ["cheeper.new-author-signed.v1"]


async def test_a_command_is_repeated_after_a_kill_between_commit_and_response(services):
    """Postgres has committed and its response is lost, the process is killed: a client that repeats the command by its
    key gets the response that was lost, and nothing happens again.
    """
    way = WayToPostgres(services.environ["DATABASE_URL"])
    key, request = new_id(), ("POST", "/author", a_sign_up())
    async with way.open(), services.http(DATABASE_URL=way.url) as one:
        way.lose_responses = True
        lost = asyncio.create_task(send(one, request, key))
        await way.committing.wait()
        await one.process.kill()
        with pytest.raises(httpx.TransportError):
            await lost
    assert await services.left_by(key) == ["cheeper.new-author-signed.v1"]
    async with services.http() as two:
        again, once_more = await send(two, request, key), await send(two, request, key)
    assert (again.status_code, again.json()["data"]) == (201, {"author_id": request[2]["author_id"]})
    assert again.content == once_more.content
    assert await services.left_by(key) == ["cheeper.new-author-signed.v1"]


@pytest.mark.parametrize("lost_at", ["reservation", "broker"])
@pytest.mark.extended
async def test_a_command_is_repeated_after_a_kill_before_its_202(services, lost_at):
    """Killed once the message id was reserved or once the broker had the command, its repeat is accepted, the command
    happens once, and another request with the id is 409 before and after.
    """
    to_postgres = WayToPostgres(services.environ["DATABASE_URL"])
    to_kafka = WayToKafka(services.environ["KAFKA_BOOTSTRAP_SERVERS"])
    author, *_ = await services.two_authors_and_a_cheep()
    key, request = new_id(), ("POST", "/cheep", {"author_id": author, "message": "once"})
    other = ("POST", "/cheep", {"author_id": author, "message": "other"})
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(to_postgres.open())
        await stack.enter_async_context(to_kafka.open())
        servers = {"DATABASE_URL": to_postgres.url, "KAFKA_BOOTSTRAP_SERVERS": to_kafka.bootstrap}
        one = await stack.enter_async_context(services.http("async", **servers))
        losing = to_postgres if lost_at == "reservation" else to_kafka
        losing.lose_responses = True
        lost = asyncio.create_task(send(one, request, key))
        await (to_postgres.committing if lost_at == "reservation" else to_kafka.written).wait()
        await one.process.kill()
        with pytest.raises(httpx.TransportError):
            await lost
    assert await services.left_by(key) == []
    async with services.http("async") as two:
        refused = await send(two, other, key)
        assert (refused.status_code, refused.json()["data"]["code"]) == (409, "message_id_reused")
        again = await send(two, request, key)
        async with services.role("worker"):
            assert await services.handled(key) == ["cheeper.cheep-posted.v1"]
            once_more = await send(two, request, key)
            assert (again.status_code, again.content) == (once_more.status_code, once_more.content)
            await follow_up(services, author)
        assert (await send(two, other, key)).status_code == 409
    assert again.status_code == 202
    assert await services.left_by(key) == ["cheeper.cheep-posted.v1"]


async def follow_up(services, author):
    """Return once a later command of the author is handled: all before it in its partition are too."""
    later = PostCheep(cheep_id=new_id(), author_id=author, message="later")
    await asyncio.to_thread(produce, services, later, key := new_id(), 1)
    await services.handled(key)


async def test_a_worker_killed_between_commit_and_offset_is_followed_by_one_that_does_nothing_again(services):
    """Postgres has committed, the worker never learns it and is killed: Kafka gives its command to the next worker,
    who knows it; and so does whoever is given the same message twice by the topic itself.
    """
    author, *_ = await services.two_authors_and_a_cheep()
    key, command = new_id(), PostCheep(cheep_id=new_id(), author_id=author, message="once")
    way = WayToPostgres(services.environ["DATABASE_URL"])
    async with way.open(), services.role("worker", DATABASE_URL=way.url) as worker:
        way.lose_responses = True
        await asyncio.to_thread(produce, services, command, key, 2)
        await way.committing.wait()
        await worker.kill()
    assert await services.left_by(key) == ["cheeper.cheep-posted.v1"]
    await asyncio.to_thread(produce, services, command, key, 3)
    async with services.role("worker"):
        await follow_up(services, author)
    assert await services.left_by(key) == ["cheeper.cheep-posted.v1"]
    assert len(await services.rows("SELECT 1 FROM cheeps WHERE message = 'once'")) == 1
    assert await services.rows("SELECT 1 FROM dead_letters") == []


def produce(services, command, message_id, times):
    """Put the same message into the topic of commands so many times."""
    producer = Producer({"bootstrap.servers": services.environ["KAFKA_BOOTSTRAP_SERVERS"]})
    for _ in range(times):
        producer.produce(
            topics.COMMANDS.named(services.environ["TOPIC_PREFIX"]),
            value=codec.encode(command),
            key=command.key,
            partition=topics.partition_of(command.key),
            headers=[*to_headers(envelope_of(command, message_id))],
        )
    assert producer.flush(60) == 0
