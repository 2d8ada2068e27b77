"""`projector rebuild` and what follows it, on a real log, while the projector goes on with the live generation."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer
from projector_testing.topics import Topics
from pymongo import MongoClient
from redis import Redis

from cheeper_contracts import views
from cheeper_contracts.kafka.topics import EVENTS
from cheeper_contracts.views.generations import VERSIONS, database_of, prefix_of
from cheeper_local.testing import until
from cheeper_runtime.readiness.needs import Readiness
from projector import bootstrap
from projector.cli.main import main
from projector.cli.rebuild import factory
from projector.generations.rebuild import Rebuild
from projector.generations.supervisor import GenerationSupervisor, every_active
from projector.settings import from_env
from projector.stores.registry import Generation, State

pytestmark = [pytest.mark.proves(guarantee="rebuild"), pytest.mark.variants("name")]

BUILDING, ACTIVE = State.BUILDING, State.ACTIVE
NO_GENERATION = Generation(number=0, version=0, state=BUILDING, made_at=0)


class Stack(Topics):
    """The servers, the topics and the settings of a test."""

    def __init__(self, environ, record):
        self.environ, self.record = environ, record
        self.settings = from_env(environ)
        super().__init__(self.settings.kafka.bootstrap_servers, self.settings.topic_prefix, EVENTS)
        self.sent = {}

    def wipe(self):
        super().wipe()
        self.sent = {}
        self.make([EVENTS])

    def send(self, story):
        """Send the part of the story that is not sent yet."""
        producer = Producer({"bootstrap.servers": self.settings.kafka.bootstrap_servers, "enable.idempotence": True})
        for partition, log in story.messages.items():
            for message in log[self.sent.get(partition, 0) :]:
                producer.produce(
                    self.topic, message.value(), message.key(), message.partition(), headers=message.headers()
                )
            self.sent[partition] = len(log)
        assert producer.flush(30) == 0

    def sequences(self, name, number):
        store = bootstrap.backend(self.settings, name).store(number)
        try:
            return {place: one.sequence for place, one in store.checkpoints(range(8)).items() if one.sequence}
        finally:
            store.close()

    def registry(self, name):
        generations = bootstrap.backend(self.settings, name).generations()
        try:
            return generations.registry()
        finally:
            generations.close()

    def groups(self):
        found = self.admin.list_consumer_groups().result(30).valid
        prefix = f"{self.settings.topic_prefix}cheeper.projector."
        return {one.group_id.removeprefix(prefix) for one in found if one.group_id.startswith(prefix)}

    @contextmanager
    def projector(self, versions=VERSIONS, names=bootstrap.STORES):
        """`projector run` in a thread; gives its readiness."""
        readiness, stop = Readiness(), threading.Event()

        def start(name, number, readiness, stop):
            return bootstrap.consumer(self.settings, name, number, readiness=readiness, stop=stop).run

        serving = GenerationSupervisor(
            [bootstrap.backend(self.settings, name).generations() for name in names],
            versions=versions,
            choose=every_active,
            start=start,
            readiness=readiness,
            stop=stop,
        )
        thread = threading.Thread(target=serving.run)
        thread.start()
        try:
            yield readiness
        finally:
            stop.set()
            thread.join(120)

    def rebuild(self, name, *, switch=False, restored=False, version=None, between=lambda: None):
        """Rebuild in this thread and return the lines printed. `between` is done once it has begun."""
        lines, began = [], threading.Event()

        class Display:
            def moved(self, _done, _total):
                if not began.is_set():
                    began.set()
                    between()

            def print(self, line):
                lines.append(line)

        generations = bootstrap.backend(self.settings, name).generations()
        try:
            one = Rebuild(factory(self.settings, generations), version or VERSIONS[name], Display(), threading.Event())
            one.run(switch=switch, restored=restored)
        finally:
            generations.close()
        return lines

    def compared(self, name, number):
        """Record a comparison as the audit does, as soon as the generation is active."""
        generations = bootstrap.backend(self.settings, name).generations()
        until(lambda: generations.registry().generations.get(number, NO_GENERATION).state == ACTIVE, 200)
        self.record(generations, number)
        generations.close()


@pytest.fixture
def stack(kafka_bootstrap, topic_prefix, redis_url, redis_prefix, mongo_url, mongo_database, compared):
    made = Stack(
        {
            "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
            "TOPIC_PREFIX": topic_prefix,
            "REDIS_URL": redis_url,
            "REDIS_PREFIX": redis_prefix,
            "MONGO_URL": mongo_url,
            "MONGO_DATABASE": mongo_database,
            "PORT": "0",
            "LOG_FORMAT": "json",
        },
        compared,
    )
    made.make()
    yield made
    with MongoClient(mongo_url) as client:
        for number in range(2, 6):
            client.drop_database(database_of(mongo_database, number))


@pytest.fixture
def cli(stack, monkeypatch, capsys):
    """Runs a command of `projector` in this process: exit code, stdout and stderr."""
    for name, value in stack.environ.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return ended.value.code, *capsys.readouterr()

    return run


SHOWN = {
    "redis": tuple(one for one in views.KEY_PATTERNS if one.lag_ms is not None and one is not views.COMMAND_RECORD),
    "mongo": (views.AUTHORS, views.FOLLOWS, views.CHEEPS, views.NOTIFICATIONS),
}
READ = {"string": "get", "hash": "hgetall", "list": "lrange", "zset": "zrange"}


def shown(stack, name, number):
    """All that readers see of a generation."""
    if name == "mongo":
        with MongoClient(stack.environ["MONGO_URL"]) as client:
            database = client[database_of(stack.environ["MONGO_DATABASE"], number)]
            return {one.name: {each["_id"]: each for each in database[one.name].find()} for one in SHOWN[name]}
    found, prefix = {}, prefix_of(stack.environ["REDIS_PREFIX"], number)
    with Redis.from_url(stack.environ["REDIS_URL"]) as client:
        for pattern in SHOWN[name]:
            for key in client.scan_iter(pattern.key(prefix, "*")):
                kind = client.type(key).decode()
                ends = (0, -1) if kind in {"list", "zset"} else ()
                found[key.decode().removeprefix(prefix)] = getattr(client, READ[kind])(key, *ends)
    return found


class History:
    """The actions of a few authors over all partitions, seeded. `go_on` makes the next ones."""

    def __init__(self, story, author, seed):
        self.story, self.rng = story, random.Random(seed)
        self.everyone = [author() for _ in range(12)]
        self.cheeps = []
        for one in self.everyone:
            story.signed(one)

    def go_on(self, acts):
        rng, story = self.rng, self.story
        for _ in range(acts):
            one, other = rng.sample(self.everyone, 2)
            act = rng.random()
            if act < 0.3:
                story.followed(one, other)
            elif act < 0.35:
                story.unfollowed(one, other)
            elif act < 0.8 or len(self.cheeps) < 2:
                self.cheeps.append(story.posted(one).event)
            elif act < 0.88:
                self.cheeps.append(story.answered(one, rng.choice(self.cheeps)).event)
            elif act < 0.94:
                story.updated(rng.choice(self.cheeps), "better so")
            else:
                story.deleted(self.cheeps.pop(rng.randrange(len(self.cheeps))))


@pytest.mark.variants
@pytest.mark.parametrize(("name", "seed"), [("redis", 1), ("mongo", 2)])
@pytest.mark.timeout(400)
def test_from_a_rebuild_to_a_forgetting_while_the_log_goes_on(stack, story, author, cli, name, seed):
    """The new generation equals the live one, with what came meanwhile; once active it is served without a restart,
    shown, taken back, shown again; and of the forgotten one nothing is left, nor comes back.
    """
    history = History(story, author, seed)
    history.go_on(300)
    stack.send(story)

    def more():
        history.go_on(60)
        stack.send(story)

    with stack.projector(names=(name,)) as readiness:
        until(lambda: stack.sequences(name, 1) == story.whole())
        lines = stack.rebuild(name, between=more)
        assert (lines[0], lines[-1]) == (
            f"{name}: builds generation 2 of version {VERSIONS[name]}",
            f"{name}: generation 2 is active",
        )
        registry = stack.registry(name)
        assert (registry.live, registry.of(2).state) == (1, ACTIVE)
        more()
        until(lambda: stack.sequences(name, 2) == stack.sequences(name, 1) == story.whole())
        assert shown(stack, name, 2) == shown(stack, name, 1), f"seed {seed}"

        code, _, err = cli("switch", "--store", name, "--generation", "2")
        assert (code, err.partition(":")[2].split(":")[0]) == (
            1,
            " generation 2 has not been compared with the write model",
        )
        stack.compared(name, 2)
        code, out, err = cli("switch", "--store", name, "--generation", "2")
        assert (code, out, err) == (0, f"{name}: readers are shown generation 2 from now on, instead of 1\n", "")
        more()
        assert cli("rollback", "--store", name)[0] == 0
        assert stack.registry(name).live == 1
        assert cli("switch", "--store", name, "--generation", "2")[0] == 0
        code, out, _ = cli("generations", "--store", name)
        published = [json.loads(line) for line in out.splitlines()]
        assert [(one["generation"], one["live"], one["previous"]) for one in published] == [
            (1, False, True),
            (2, True, False),
        ]
        until(lambda: readiness.needs() and all(need.ok for need in readiness.needs().values()))

        assert cli("forget", "--store", name, "--generation", "2")[::2] == (
            1,
            "projector: generation 2 is live: switch to another one before you forget it\n",
        )
        assert cli("forget", "--store", name, "--generation", "1") == (0, f"{name}: generation 1 is forgotten\n", "")
        assert name not in stack.groups()
        assert cli("rollback", "--store", name)[0] == 1
        more()
        until(lambda: stack.sequences(name, 2) == story.whole())
        assert stack.sequences(name, 1) == {}
        until(lambda: all(need.ok for need in readiness.needs().values()))
    assert list(stack.registry(name).generations) == [2]


@pytest.mark.parametrize("seed", [11])
@pytest.mark.timeout(600)
def test_a_killed_rebuild_is_resumed(stack, story, author, seed):
    """A rebuild that is killed at seeded shares of the log is resumed by the next one, from its checkpoints, and what
    comes out equals the live generation.
    """
    rng, history = random.Random(seed), History(story, author, seed)
    history.go_on(700)
    stack.send(story)
    total = sum(story.whole().values())

    def rebuild(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "projector", "rebuild", "--store", "all", *arguments],
            env={**os.environ, **stack.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def done():
        return min(sum(stack.sequences(name, 2).values()) for name in bootstrap.STORES)

    with stack.projector():
        until(lambda: all(stack.sequences(name, 1) == story.whole() for name in bootstrap.STORES))
        before = 0
        for share in sorted(rng.uniform(0.05, 0.5) for _ in range(2)):
            process = rebuild("--rate", "100")
            until(lambda share=share: done() >= share * total)
            process.kill()
            process.communicate()
            assert before <= done() < total, f"seed {seed}"
            before = done()
            assert stack.registry("redis").of(2).state == BUILDING
        process = rebuild()
        out, _ = process.communicate(timeout=200)
        assert process.returncode == 0, out
        assert f"redis: resumes generation 2 of version {VERSIONS['redis']}" in out
        assert re.search(r"redis: [\d,]+ of [\d,]+ events, [\d,]+/s", out)
        process = rebuild("--switch")
        for name in bootstrap.STORES:
            stack.compared(name, 2)
        out, _ = process.communicate(timeout=200)
        assert process.returncode == 0, out
    for name in bootstrap.STORES:
        registry = stack.registry(name)
        assert (registry.live, sorted(registry.generations)) == (2, [1, 2])
        assert stack.sequences(name, 2) == story.whole()
        assert shown(stack, name, 2) == shown(stack, name, 1), f"seed {seed}"


def test_a_stopped_rebuild_says_how_to_resume_it(stack, story, author):
    """A signal ends it at once, in one sentence, with exit code 1 and its generation still being built."""
    History(story, author, 3).go_on(200)
    stack.send(story)
    process = subprocess.Popen(
        [sys.executable, "-m", "projector", "rebuild", "--store", "redis", "--rate", "5"],
        env={**os.environ, **stack.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: stack.sequences("redis", 2))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (1, "projector: stopped before it was complete: the same command resumes it\n")
    assert stack.registry("redis").of(2).state == BUILDING


@pytest.mark.skipif(
    os.environ.get("BROKER") == "tansu",
    reason="librdkafka crashes on what Tansu returns for a deleted topic; Tansu loses topics by a restart only",
)
@pytest.mark.parametrize("name", ["redis", "mongo"])
@pytest.mark.timeout(300)
def test_a_rebuild_is_the_answer_to_a_restored_database(stack, story, author, helpers, name):
    """After `raise-epoch` the topic is made again with another, shorter history: the effects of the lost one are not
    shown any more once `rebuild --switch --restored` is through, and without `--restored` nothing is taken back.
    """
    history = History(story, author, 5)
    history.go_on(80)
    stack.send(story)
    lost = author()
    with stack.projector(names=(name,)):
        story.signed(lost)
        stack.send(story)
        until(lambda: stack.sequences(name, 1) == story.whole())
        stack.wipe()
        restored = helpers.Story()
        kept = [restored.signed(one).event.author_id for one in history.everyone[:4]]
        stack.send(restored)
        audit = threading.Thread(target=stack.compared, args=(name, 2))
        audit.start()
        lines = stack.rebuild(name, switch=True, restored=True)
        audit.join()
        assert stack.registry(name).live == 2, lines
        until(lambda: stack.sequences(name, 2) == restored.whole())
    authors = str(shown(stack, name, 2))
    assert [one in authors for one in (*kept, lost)] == [True] * len(kept) + [False]


def test_a_new_version_waits_for_its_rebuild_and_the_old_one_goes_on(stack, story, author):
    """New code does not write into the views of old code, and names the command to run; the old code continues."""
    history = History(story, author, 6)
    history.go_on(20)
    stack.send(story)
    newer = VERSIONS | {"mongo": VERSIONS["mongo"] + 1}
    with stack.projector() as old:
        until(lambda: stack.sequences("mongo", 1) == story.whole())
        with stack.projector(versions=newer) as new:
            until(lambda: not new.needs()["mongo"].ok and "version" in (new.needs()["mongo"].reason or ""))
            assert new.needs()["mongo"].reason == (
                f"generation 1 is of version {VERSIONS['mongo']} and this code is version {newer['mongo']}: "
                "run `projector rebuild --store mongo`"
            )
            assert "redis_views" in new.needs()
            audit = threading.Thread(target=stack.compared, args=("mongo", 2))
            audit.start()
            stack.rebuild("mongo", version=newer["mongo"], switch=True)
            audit.join()
            until(lambda: all(need.ok for need in new.needs().values()))
            history.go_on(20)
            stack.send(story)
            until(lambda: stack.sequences("mongo", 1) == stack.sequences("mongo", 2) == story.whole())
            assert all(need.ok for need in old.needs().values())


def test_a_failure_in_one_generation_delays_no_other(stack, story, author, redis):
    """A generation that no reader sees may crash or be poisoned: readiness says so, and the live one goes on."""
    history = History(story, author, 7)
    history.go_on(20)
    stack.send(story)
    with stack.projector(names=("redis",)) as readiness:
        until(lambda: stack.sequences("redis", 1) == story.whole())
        generations = bootstrap.backend(stack.settings, "redis").generations()
        generations.create(VERSIONS["redis"])
        second = prefix_of(stack.settings.redis_prefix, 2)
        for partition in range(8):
            redis.set(views.PARKED_KEYS.key(second, partition), "no set")
        generations.activate(2)
        generations.close()
        until(lambda: "generation 2: " in (readiness.needs()["redis_views"].reason or ""))
        history.go_on(20)
        stack.send(story)
        until(lambda: stack.sequences("redis", 1) == story.whole())
