"""Projectors that die, are taken for dead, or find a store in an older state: each message has its effect once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from cheeper_contracts.kafka.topics import EVENTS
from cheeper_contracts.partitions import PARTITIONS
from cheeper_local.testing import until

pytestmark = [pytest.mark.proves(guarantee="exactly-once"), pytest.mark.variants("store")]

WAIT = 60
PARTITION = 3

# `projector run` with a signal to itself around the first call that applies something.
SIGNALLED = """
import os, signal, sys
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.store import RedisStore
from projector.cli.main import main

moment, number = sys.argv.pop(1), signal.Signals[sys.argv.pop(1)]

def signalled(apply):
    done = []
    def once(store, batch):
        if moment == "before" and not done:
            done.append(os.kill(os.getpid(), number))
        applied = apply(store, batch)
        if moment == "after" and not done:
            done.append(os.kill(os.getpid(), number))
        return applied
    return once

for store in (MongoStore, RedisStore):
    store.apply = signalled(store.apply)
main()
"""


@pytest.fixture
def signalled(environ, request):
    """Starts `projector run` for this run's store, which sends itself a signal `before` or `after` its first call."""
    started = []
    store = request.node.callspec.params["running"]

    def start(moment, number):
        command = [sys.executable, "-c", SIGNALLED, moment, number.name, "run", "--store", store]
        started.append(subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


class Copies:
    """The content of the test's Redis, as an older copy of its data has it."""

    def __init__(self, redis, prefix):
        self._redis, self._prefix, self._kept = redis, prefix, {}

    def keep(self):
        self._kept = {key: self._redis.dump(key) for key in self._keys()}

    def restore(self):
        with self._redis.pipeline(transaction=True) as pipe:
            for key in self._keys():
                pipe.delete(key)
            for key, value in self._kept.items():
                pipe.restore(key, 0, value)
            pipe.execute()

    def _keys(self):
        return list(self._redis.scan_iter(f"{self._prefix}*", count=1_000))


class DocumentCopies:
    """The same of the test's MongoDB."""

    def __init__(self, database):
        self._database, self._kept = database, {}

    def keep(self):
        self._kept = {name: list(self._database[name].find()) for name in self._database.list_collection_names()}

    def restore(self):
        with self._database.client.start_session() as session, session.start_transaction():
            for name in self._database.list_collection_names():
                self._database[name].delete_many({}, session=session)
                if self._kept.get(name):
                    self._database[name].insert_many(self._kept[name], session=session)


@pytest.fixture
def copies(request, redis, redis_prefix, mongo):
    """Of the store of this run: `keep` one, and `restore` it in one step."""
    if request.node.callspec.params["running"] == "redis":
        return Copies(redis, redis_prefix)
    return DocumentCopies(mongo)


def follows(story, author, bob, number=5):
    return [story.followed(author(), bob, partition=PARTITION).message for _ in range(number)]


def committed(kafka, store):
    """The offset of the partition that the group of a store's consumers has."""
    group = f"{kafka.prefix}cheeper.projector.{store}"
    consumer = Consumer({"bootstrap.servers": kafka.servers, "group.id": group})
    try:
        [place] = consumer.committed([TopicPartition(EVENTS.named(kafka.prefix), PARTITION)], timeout=10)
    finally:
        consumer.close()
    return place.offset


@pytest.mark.parametrize("meanwhile", ["at rest", "with more to come", "while nothing runs"])
def test_a_store_put_back_to_an_older_copy_is_brought_up_again(
    running, kafka, story, author, followers, copies, meanwhile
):
    """From its own checkpoint on, wherever the group's offset is, and whether a projector runs at that moment or not.

    It fails when consumption goes on from the group's offset.
    """
    bob = author()
    with running() as consumer:
        kafka.send(follows(story, author, bob))
        until(lambda: followers(bob) == 5)
        copies.keep()
        kafka.send(follows(story, author, bob))
        until(lambda: followers(bob) == 10)
        until(lambda: committed(kafka, consumer.store.name) == 10)
        if meanwhile == "while nothing runs":
            consumer.end()
        copies.restore()
        if meanwhile == "with more to come":
            kafka.send(follows(story, author, bob, 1))
    wanted = len(story.messages[PARTITION])
    with running() as consumer:
        until(lambda: followers(bob) == wanted)
        until(lambda: consumer.reasons() == [])
        assert consumer.sequences() == {PARTITION: wanted}


def test_a_store_put_back_while_its_projector_runs_needs_no_restart(running, kafka, story, author, followers, copies):
    """It is the running projector that notices, of itself and when the next message comes."""
    bob = author()
    with running() as consumer:
        kafka.send(follows(story, author, bob))
        until(lambda: followers(bob) == 5)
        copies.keep()
        kafka.send(follows(story, author, bob))
        until(lambda: followers(bob) == 10)
        for extra in (0, 1):
            copies.restore()
            kafka.send(follows(story, author, bob, extra))
            until(lambda extra=extra: followers(bob) == 10 + extra)
        until(lambda: consumer.reasons() == [])


def test_a_projector_killed_between_a_call_and_its_offset_doubles_nothing(
    running, signalled, kafka, story, author, followers
):
    """The store has the batch and Kafka does not know: it is redelivered or skipped, and counted once."""
    everyone, applied = [author() for _ in range(PARTITIONS)], 0
    for _ in range(2):
        kafka.send(
            [story.followed(author(), one, partition=at).message for at, one in enumerate(everyone) for _ in range(3)]
        )
        killed = signalled("after", signal.SIGKILL)
        assert killed.wait(WAIT) == -signal.SIGKILL
        before, applied = applied, sum(map(followers, everyone))
        assert applied > before
    with running() as consumer:
        assert committed(kafka, consumer.store.name) < 0
        until(lambda: consumer.sequences() == dict.fromkeys(range(PARTITIONS), 6))
    assert [followers(one) for one in everyone] == [6] * PARTITIONS


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_projector_that_was_taken_for_dead_changes_nothing(
    running, signalled, kafka, story, author, followers, moment
):
    """A projector is frozen with a batch in flight until its partitions belong to another one, which applies the batch.
    Then it continues: both believe that the partition is theirs.

    It fails when a store does not compare its checkpoint in the call that moves it.
    """
    bob, carol = author(), author()
    kafka.send([story.followed(carol, bob, partition=PARTITION).message, *follows(story, author, bob, 4)])
    frozen = signalled(moment, signal.SIGSTOP)
    until(lambda: Path(f"/proc/{frozen.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    with running() as consumer:
        kafka.send([story.unfollowed(carol, bob, partition=PARTITION).message, *follows(story, author, bob)])
        until(lambda: followers(bob) == 9)
        frozen.send_signal(signal.SIGCONT)
        kafka.send(follows(story, author, bob))
        until(lambda: followers(bob) == 14)
        frozen.send_signal(signal.SIGTERM)
        assert frozen.wait(WAIT) == 0
        kafka.send(follows(story, author, bob))
        until(lambda: consumer.sequences() == {PARTITION: 21})
    assert followers(bob) == 19
