"""The process from outside: its commands, its exit codes, and the lines that the book's demo shows."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from cheeper_contracts import views
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_contracts.kafka.topics import COMMANDS, EVENTS, TOPICS
from cheeper_local.system.ports import free_port
from cheeper_local.testing import until
from projector.cli.main import main

UNAVAILABLE = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "REDIS_URL": "redis://:secret@127.0.0.1:1/0",
    "MONGO_URL": "mongodb://user:secret@127.0.0.1:1/?directConnection=true",
}


def environ(**changes):
    return {**os.environ, "PORT": "0", "LOG_FORMAT": "json", **changes}


def projector(*arguments, **changes):
    """Runs a command to its end: exit code, its lines, what it wrote to stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "projector", *arguments],
        env=environ(**changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def stack(kafka_bootstrap, topic_prefix, redis_url, redis_prefix, mongo_url, mongo_database):
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    wanted = [NewTopic(topic.named(topic_prefix), topic.partitions, 1, config=topic.config) for topic in TOPICS]
    for made in admin.create_topics(wanted).values():
        made.result(60)
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "TOPIC_PREFIX": topic_prefix,
        "REDIS_URL": redis_url,
        "REDIS_PREFIX": redis_prefix,
        "MONGO_URL": mongo_url,
        "MONGO_DATABASE": mongo_database,
        "FANOUT_INLINE_MAX": "0",
        "FANOUT_SLICE": "1",
    }


def send(stack, story):
    producer = Producer({"bootstrap.servers": stack["KAFKA_BOOTSTRAP_SERVERS"], "enable.idempotence": True})
    topic = EVENTS.named(stack["TOPIC_PREFIX"])
    for log in story.messages.values():
        for message in log:
            producer.produce(topic, message.value(), message.key(), message.partition(), headers=message.headers())
    assert producer.flush(60) == 0


@pytest.mark.extended
def test_demo_time_step_by_step(stack, story, author, redis):
    """Three events in each store, then two slices: the timelines are empty before, and hold bob's cheep after."""
    alice, bob, charlie = author(), author(), author()
    published = [story.followed(alice, bob), story.followed(charlie, bob), story.posted(bob)]
    send(stack, story)

    code, out, err = projector("run", "--limit", "3", "--no-tasks", LOG_LEVEL="debug", **stack)
    assert (code, err) == (0, "")
    for store in ("redis", "mongo"):
        for event in ("received", "applied"):
            found = [line for line in lines(out) if line["event"] == event and line["store"] == store]
            assert [line["message_id"] for line in found] == [one.envelope.message_id for one in published]
            assert found[0]["correlation_id"] == published[0].envelope.correlation_id
            assert found[0].keys() >= {"type", "key", "partition", "sequence"}
        assert [line["number"] for line in lines(out) if line["event"] == "limit reached"] == [3, 3]

    timelines = [views.TIMELINE.key(stack["REDIS_PREFIX"], reader) for reader in (alice, charlie)]
    status = json.loads(projector("status", **stack)[1])
    assert (status["redis"]["tasks"], status["redis"]["parked"], status["mongo"]["parked"]) == (2, 0, 0)
    assert [redis.llen(timeline) for timeline in timelines] == [0, 0]

    code, out, err = projector("tasks", "--limit", "2", **stack)
    assert (code, err) == (0, "")
    served = [line for line in lines(out) if line["event"] == "slice served"]
    assert [(line["author"], line["followers"]) for line in served] == [(bob, 1), (bob, 1)]
    assert served[0]["correlation_id"] == published[2].envelope.correlation_id
    assert json.loads(projector("status", **stack)[1])["redis"]["tasks"] == 0
    assert [redis.llen(timeline) for timeline in timelines] == [1, 1]


def test_run_serves_its_tasks_by_itself(stack, story, author, redis):
    """Without --no-tasks slices run in between other events."""
    alice, bob = author(), author()
    story.followed(alice, bob)
    story.posted(bob)
    send(stack, story)
    process = subprocess.Popen(
        [sys.executable, "-m", "projector", "run", "--store", "redis"],
        env=environ(**stack),
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: redis.llen(views.TIMELINE.key(stack["REDIS_PREFIX"], alice)) == 1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def accepted(stack):
    """A command on its topic; the key of its record."""
    envelope = Envelope(
        message_id=str(uuid.uuid4()),
        type="cheeper.follow.v1",
        source="/test",
        time=time.time_ns() // 1_000,
        key="key",
        correlation_id="c",
    )
    producer = Producer({"bootstrap.servers": stack["KAFKA_BOOTSTRAP_SERVERS"]})
    producer.produce(COMMANDS.named(stack["TOPIC_PREFIX"]), b"{}", "key", 0, headers=to_headers(envelope))
    assert producer.flush(60) == 0
    return views.ACCEPTED_COMMAND.key(stack["REDIS_PREFIX"], envelope.message_id)


def groups(stack):
    """The consumer groups of the installation that the broker knows."""
    admin = AdminClient({"bootstrap.servers": stack["KAFKA_BOOTSTRAP_SERVERS"]})
    prefix = f"{stack['TOPIC_PREFIX']}cheeper.projector."
    found = {group.group_id for group in admin.list_consumer_groups().result(60).valid}
    return {group.removeprefix(prefix) for group in found if group.startswith(prefix)}


def test_run_records_accepted_commands(stack, redis):
    """Beside the stores' consumers one reads the commands, in a group of its own."""
    key = accepted(stack)
    process = subprocess.Popen(
        [sys.executable, "-m", "projector", "run"], env=environ(**stack), stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: redis.exists(key))
        assert "commands" in groups(stack)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.mark.variants
@pytest.mark.parametrize("arguments", [["--limit", "1"], ["--store", "mongo"]], ids=["step mode", "mongo alone"])
def test_run_leaves_commands_alone_in_step_mode_and_without_redis(stack, story, author, redis, mongo, arguments):
    """A step is one domain message and nothing else; and where Redis is not written, nothing is."""
    key = accepted(stack)
    story.signed(author())
    send(stack, story)
    process = subprocess.Popen(
        [sys.executable, "-m", "projector", "run", *arguments], env=environ(**stack), stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: mongo[views.AUTHORS.name].count_documents({}) == 1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not redis.exists(key)
    assert "commands" not in groups(stack)
    assert "mongo" in groups(stack)


@pytest.fixture
def dead_letters(stack, monkeypatch, capsys):
    """Runs `projector dead-letters` on the test's stack: exit code, what it wrote to stdout and to stderr."""
    for name, value in stack.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["dead-letters", *arguments])
        return ended.value.code, *capsys.readouterr()

    return run


class Broken:
    """An author whose views have wrong types in both stores, so that nothing of its key can be applied."""

    def __init__(self, redis, mongo, stack, author):
        self.redis, self.authors, self.author = redis, mongo[views.AUTHORS.name], author
        self.counters = views.AUTHOR_COUNTERS.key(stack["REDIS_PREFIX"], author)
        redis.set(self.counters, "no hash")
        self.authors.insert_one({"_id": author, "followers": "no number"})

    def repair(self):
        self.redis.delete(self.counters)
        self.authors.delete_one({"_id": self.author})

    def followers(self):
        return int(self.redis.hget(self.counters, "followers")), self.authors.find_one({"_id": self.author})[
            "followers"
        ]


@contextmanager
def running(stack):
    process = subprocess.Popen(
        [sys.executable, "-m", "projector", "run"], env=environ(**stack), stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.mark.proves(guarantee="poison")
def test_poison_is_listed_and_replayed_while_the_projector_runs(stack, story, author, redis, mongo, dead_letters):
    """Refused messages are listed and shown, survive a restart, stay parked while their cause exists, and are
    applied in order once it is fixed; later messages of the key flow without a restart.
    """
    bob, carol = author(), author()
    broken = Broken(redis, mongo, stack, bob)

    def at(sequence):
        of_redis = redis.hget(views.CHECKPOINT.key(stack["REDIS_PREFIX"], 0), "sequence")
        of_mongo = mongo[views.CHECKPOINTS.name].find_one({"_id": 0}) or {}
        return int(of_redis or 0) == of_mongo.get("sequence") == sequence

    def listed(*arguments):
        code, out, err = dead_letters("list", *arguments)
        assert (code, err) == (0, "")
        return lines(out)

    published = [story.followed(author(), bob, partition=0) for _ in range(2)]
    story.followed(author(), carol, partition=0)
    send(stack, story)
    with running(stack):
        until(lambda: at(3))
    published.append(story.followed(author(), bob, partition=0))
    send(stack, story)
    with running(stack):
        until(lambda: at(4))
        assert [(one["id"], one["behind"]) for one in listed()] == [
            (f"{store}:0:{sequence}", sequence != 1) for store in ("redis", "mongo") for sequence in (1, 2, 4)
        ]
        ids = [one.envelope.message_id for one in published]
        assert [one["message_id"] for one in listed("--store", "mongo")] == ids
        shown = json.loads(dead_letters("show", "redis:0:1")[1])
        assert (shown["offset"], shown["source_topic"]) == (0, EVENTS.named(stack["TOPIC_PREFIX"]))
        assert json.loads(shown["value"])["to_author_id"] == bob
        assert ["ce_id", ids[0]] in shown["headers"]

        code, out, _ = dead_letters("replay", bob)
        assert (code, [line.split(" and ")[0] for line in out.splitlines()]) == (
            1,
            ["redis:0:1 is still poison,", "mongo:0:1 is still poison,"],
        )
        broken.repair()
        code, out, _ = dead_letters("replay", "--all")
        assert (code, out.splitlines()[:4]) == (
            0,
            [
                *(f"redis:0:{sequence} is applied" for sequence in (1, 2, 4)),
                f"redis: no message of the key {bob} is parked any more",
            ],
        )
        assert (broken.followers(), listed()) == ((3, 3), [])
        story.followed(author(), bob, partition=0)
        send(stack, story)
        until(lambda: broken.followers() == (4, 4))


@pytest.mark.proves(guarantee="poison")
def test_a_dropped_message_is_removed(stack, story, author, redis, dead_letters):
    """It takes --yes, states what it means, and frees a key of which nothing else is parked."""
    bob = author()
    story.add(story.followed(author(), bob, partition=1).event, partition=0, value=b"{broken")
    story.messages.pop(1)
    send(stack, story)
    assert projector("run", "--store", "redis", "--limit", "1", **stack)[0] == 0
    assert dead_letters("replay", bob, "--store", "redis")[0] == 1
    code, _, err = dead_letters("drop", "redis:0:1")
    assert (code, "without --yes" in err) == (1, True)
    code, out, _ = dead_letters("drop", "redis:0:1", "--yes")
    assert (code, out.startswith("redis:0:1 is dropped. The views")) == (0, True)
    for act in ("show", "drop"):
        assert dead_letters(act, "redis:0:1")[::2] == (1, "projector: redis:0:1 is not parked\n")
    assert redis.exists(views.PARKED_KEYS.key(stack["REDIS_PREFIX"], 0)) == 0
    assert dead_letters("replay", bob) == (
        0,
        f"redis: no message of the key {bob} is parked\nmongo: no message of the key {bob} is parked\n",
        "",
    )


@pytest.mark.variants
@pytest.mark.parametrize("role", [["run"], ["tasks"]])
def test_it_waits_for_servers_and_ends_on_sigterm(role):
    """With all servers unavailable it lives, is unready, reports why without a secret, and ends within 10 s."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "projector", *role],
        env=environ(**UNAVAILABLE, PORT=str(port)),
        stdout=subprocess.PIPE,
        text=True,
    )

    def ready():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    until(lambda: ready()[0] == 503 and "does not answer" in ready()[1])
    body = ready()[1]
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "secret" not in body + out
    assert "127.0.0.1" not in body


def test_a_wrong_setting_ends_with_2_and_its_name():
    """No command starts with incomplete settings."""
    assert projector("run", **{**UNAVAILABLE, "FANOUT_SLICE": "none"})[::2] == (
        2,
        "projector: FANOUT_SLICE must be a number from 1 to 1000\n",
    )


def test_a_port_in_use_ends_with_1():
    """One clear line, and no process left."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, out, _ = projector("run", **UNAVAILABLE, PORT=str(taken.getsockname()[1]))
    assert code == 1
    assert lines(out)[-1]["event"] == "cannot listen"
