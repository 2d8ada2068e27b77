"""Replaying on a real Postgres and a real broker: in order, once, whatever consumers do at the same time."""

import asyncio
import json

import pytest
from sqlalchemy import text
from write_api_consumers import envelope_of

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.dead_letters import BEHIND
from cheeper_contracts.kafka.envelope import to_headers
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api import cli
from write_api.bootstrap import dead_letters
from write_api.bootstrap.command_side import command_side
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import made_for, new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer import process_manager, worker
from write_api.consumer.batch import BatchHandler
from write_api.consumer.dead_letters import PostgresDeadLetters
from write_api.consumer.message import ConsumedMessage, DeadLetter
from write_api.kafka.topics import admin_client, ensure_topics
from write_api.process_managers import PROCESS_MANAGERS
from write_api.settings import from_env

pytestmark = pytest.mark.proves(guarantee="poison")

ROUNDS = 60


class ReplayScene:
    """A write model with one author, its replays, and consumers that have defects."""

    def __init__(self, engine, environ, side, found):
        self.engine, self.environ, self.side, self.found = engine, environ, side, found
        self.author = new_id()
        self.offsets = iter(range(10_000))

    async def sign_up(self):
        command = SignUp(author_id=self.author, username=f"u{self.author[-12:]}", email=f"{self.author}@example.com")
        await self.side.bus.handle([ReceivedCommand(command=command, envelope=envelope_of(command))])

    def consumer(self, topic, decode, run):
        servers, prefix = self.environ["KAFKA_BOOTSTRAP_SERVERS"], self.environ["TOPIC_PREFIX"]
        return BatchHandler(decode, run, PostgresDeadLetters(self.engine, KafkaConnection(servers), prefix, topic))

    def worker(self, *, crashes_on=()):
        async def run(batch, checkpoints=()):
            if any(one.command.message in crashes_on for one in batch):
                raise RuntimeError("a defect")
            await self.side.bus.handle(batch, checkpoints)

        return self.consumer(topics.COMMANDS, worker.decode, run)

    def message(self, content, *, topic=topics.COMMANDS, value=None, sequence=None):
        return ConsumedMessage(
            topic=topic.named(self.environ["TOPIC_PREFIX"]),
            partition=0,
            offset=next(self.offsets),
            key=content.key,
            headers=to_headers(envelope_of(content, sequence=sequence)),
            value=codec.encode(content) if value is None else value,
        )

    def post(self, message):
        post = PostCheep(cheep_id=new_id(), author_id=self.author, message=message)
        return self.message(post, value=b"{" if message == "broken" else None)

    async def replay(self, topic=topics.COMMANDS):
        return [one async for one in self.found[topic.name].of_key(self.author)]

    async def cheeps(self):
        return [row.message for row in await self.rows("SELECT message FROM cheeps ORDER BY cheep_date")]

    async def letters(self):
        return [row.reason for row in await self.rows("SELECT reason FROM dead_letters ORDER BY id")]

    async def rows(self, statement):
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement))).all()


async def handle(batches, *messages):
    """Handle messages as the consumer does, again and again while a server is unavailable or a key was freed."""
    found = batches.decode(messages)
    while True:
        try:
            return await batches.handle(found)
        except UnavailableError:
            await asyncio.sleep(0)


@pytest.fixture
async def scene(engine, postgres_url, kafka_bootstrap, topic_prefix):
    environ = {"DATABASE_URL": postgres_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap, "TOPIC_PREFIX": topic_prefix}
    settings = from_env(environ, "dead-letters")
    await asyncio.to_thread(ensure_topics, admin_client(KafkaConnection(kafka_bootstrap)), topic_prefix)
    async with (
        dead_letters.replays(settings) as found,
        command_side(settings, source="/test", accepted=True) as side,
    ):
        scene = ReplayScene(engine, environ, side, found)
        await scene.sign_up()
        yield scene


async def test_commands_are_handled_in_their_order_and_the_key_flows_again(scene):
    """Messages that a defect has parked are handled once it is fixed, and none stays parked."""
    await handle(scene.worker(crashes_on=["1"]), *map(scene.post, "123"))
    assert (await scene.cheeps(), await scene.letters()) == ([], ["crashed", "behind", "behind"])
    assert [one.poison for one in await scene.replay()] == [None, None, None]
    assert (await scene.cheeps(), await scene.letters()) == (["1", "2", "3"], [])
    await handle(scene.worker(), scene.post("4"))
    assert await scene.cheeps() == ["1", "2", "3", "4"]
    assert await scene.replay() == []


async def test_what_is_still_poison_stays_with_all_behind_it_and_says_why(scene):
    """No message passes it, and its reason is the current one, also if it only waited before."""
    await handle(scene.worker(crashes_on=["1"]), *map(scene.post, ["1", "broken", "2"]))
    assert await scene.letters() == ["crashed", "malformed", "behind"]
    _, last = await scene.replay()
    assert last.poison.reason == "malformed"
    assert (await scene.cheeps(), await scene.letters()) == (["1"], ["malformed", "behind"])


async def test_a_command_is_handled_and_its_letter_deleted_in_one_transaction(scene, monkeypatch):
    """If the dead letter cannot be deleted, nothing was handled."""

    async def fail(_connection, parked):
        raise RuntimeError(f"{parked.id} cannot be deleted")

    await handle(scene.worker(crashes_on=["1"]), scene.post("1"))
    settings = from_env(scene.environ, "dead-letters")
    monkeypatch.setattr(dead_letters, "remove_in", fail)
    async with dead_letters.replays(settings) as found:
        (one,) = [one async for one in found[topics.COMMANDS.name].of_key(scene.author)]
    assert "cannot be deleted" in one.poison.error
    assert (await scene.cheeps(), await scene.letters()) == ([], ["crashed"])


async def test_an_event_leads_to_its_command_and_to_the_same_one_however_often(scene, read_topic):
    """The commands for a replayed event have ids that derive from the event alone."""

    async def crash(_batch):
        raise RuntimeError("a defect")

    decode = process_manager.EventDecoder(PROCESS_MANAGERS, "/pm").decode
    event = NewAuthorSigned(author_id=scene.author, username="u", signed_up_at=1)
    signed = scene.message(event, topic=topics.EVENTS, sequence=1)
    for _ in range(2):
        await handle(scene.consumer(topics.EVENTS, decode, crash), signed)
        assert [one.poison for one in await scene.replay(topics.EVENTS)] == [None]
    assert await scene.letters() == []
    sent = await read_topic(topics.COMMANDS.named(scene.environ["TOPIC_PREFIX"]), 2)
    expected = made_for(signed.header("ce_id"), WelcomeAuthor.TYPE)
    assert [envelope.message_id for _, _, envelope, _, _ in sent] == [expected, expected]


async def test_nothing_is_parked_behind_removed_poison(scene):
    """A message that was to wait behind poison that was replayed meanwhile is handled again, and run.

    Broken by a `park` that does not check under the key's lock.
    """
    servers, prefix = scene.environ["KAFKA_BOOTSTRAP_SERVERS"], scene.environ["TOPIC_PREFIX"]
    letters = PostgresDeadLetters(scene.engine, KafkaConnection(servers), prefix, topics.COMMANDS)
    with pytest.raises(UnavailableError, match="is gone") as freed:
        await letters.park([DeadLetter(message=scene.post("1"), reason=BEHIND)])
    assert scene.author not in str(freed.value)  # readiness shows it
    assert await scene.letters() == []
    await handle(scene.worker(), scene.post("2"))
    assert await scene.cheeps() == ["2"]


@pytest.mark.extended  # a long run of what the others do step by step
async def test_nothing_overtakes_or_is_lost_while_a_worker_parks_more(scene):
    """A worker consumes commands of one key and crashes on some, while another process replays without a pause: each
    cheep exists once, in the order in which they were sent.
    """
    texts = [str(n) for n in range(ROUNDS)]
    batches, done = scene.worker(crashes_on=texts[::5]), asyncio.Event()

    async def keep_replaying():
        replayed = 0
        while not done.is_set():
            replayed += len(await scene.replay())
            await asyncio.sleep(0)
        return replayed + len(await scene.replay())

    replaying = asyncio.create_task(keep_replaying())
    for message in map(scene.post, texts):
        await handle(batches, message)
    done.set()
    assert await replaying >= ROUNDS / 5
    assert (await scene.cheeps(), await scene.letters()) == (texts, [])


async def test_the_command_line_lists_shows_replays_and_drops(scene, monkeypatch, capsys):
    """It prints a line per message or all of one, exits with 1 if a message is still poison, and drops with --yes."""
    for name, value in scene.environ.items():
        monkeypatch.setenv(name, value)

    async def run(*arguments):
        capsys.readouterr()
        code = await asyncio.to_thread(cli.main, ["dead-letters", *arguments])
        return code, *capsys.readouterr()

    await handle(scene.worker(crashes_on=["1"]), *map(scene.post, ["1", "broken", "2"]))
    listed = [json.loads(line) for line in (await run("list"))[1].splitlines()]
    assert [(one["offset"], one["source_topic"]) for one in listed] == [(n, "cheeper.commands") for n in range(3)]
    assert (await run("list", "--topic", "cheeper.events"))[:2] == (0, "")
    first, second, _ = (str(one["id"]) for one in listed)
    shown = json.loads((await run("show", first))[1])
    assert (json.loads(shown["value"])["message"], len(shown["stack_digest"])) == ("1", 16)
    code, out, _ = await run("replay", scene.author, "--topic", "cheeper.commands")
    assert (code, out.startswith(f"{first} is handled\n{second} is still poison")) == (1, True)
    code, _, err = await run("drop", second)
    assert (code, "without --yes" in err) == (1, True)
    assert (await run("drop", second, "--yes"))[0] == 0
    assert (await run("show", second))[::2] == (1, f"write-api: no message is parked as {second}\n")
    assert (await run("replay", "--all"))[0] == 0
    assert (await scene.cheeps(), await scene.letters()) == (["1", "2"], [])
