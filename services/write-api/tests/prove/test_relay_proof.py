"""Order and no gap in the relay, proven on a real Postgres and a real broker by processes that are killed.

    SEED=7 ROUNDS=3 .venv/bin/pytest -s services/write-api/tests/prove/test_relay_proof.py

SEED (1) decides what the writers do and who is killed when; ROUNDS (1) of them follow each other on one log, with
ACTS (160) for each of two writers and KILLS (10) a round. What a seed decides is in the order of acts,
not of the clock: the machine decides the rest.
"""

import json
import os
import random
import signal
import sys
from collections import Counter
from itertools import count
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition
from psycopg.rows import namedtuple_row

from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.envelope import from_headers
from cheeper_local.system import processes
from cheeper_local.testing import until

pytestmark = [pytest.mark.proves(guarantee="order"), pytest.mark.extended, pytest.mark.takes(seconds=30)]

SEED = int(os.environ.get("SEED", "1"))
ROUNDS = int(os.environ.get("ROUNDS", "1"))
ACTS = int(os.environ.get("ACTS", "160"))
KILLS = int(os.environ.get("KILLS", "10"))

KEYS, WRITERS, RELAYS = 6, 2, 3
# Kafka's client gives a broker that was killed some time, and the broker itself lets its old session run out.
VICTIMS = {"active relay": 6, "relay": 2, "relays": 1, "active relay's connection": 2, "writer": 3}

UNSENT = """
SELECT count(*) FROM outbox AS o, relay_cursor AS c WHERE (o.epoch, o.xid, o.id) > (c.epoch, c.xid, c.id)
"""
END_CONNECTION = """
SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND application_name = 'write-api-relay'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Process:
    """A process with its output in a file, to be killed."""

    def __init__(self, command, log, env=None):
        self.log = log
        with log.open("wb") as output:
            self._process = processes.spawn(command, output=output, env=env, on_parent_death=signal.SIGKILL)

    @property
    def lives(self):
        return self._process.poll() is None

    @property
    def code(self):
        return self._process.poll()

    def kill(self):
        processes.kill(self._process)

    def lines(self):
        """Return its output without a line that a kill cut off."""
        return self.log.read_text(errors="replace").split("\n")[:-1]


class Proof:
    """The stack of a proof: a database, a broker of its own, relays and writers, and their outcome."""

    def __init__(self, url, broker, folder):
        self.url, self.broker, self.folder = url, broker, folder
        self.rng = random.Random(SEED)
        self.numbers = count(1)
        self.relays, self.writers, self.ended = [], [], []
        self.killed = []  # relays
        self.kills = Counter()
        self.database = psycopg.connect(url, autocommit=True, row_factory=namedtuple_row)
        self.env = os.environ | {
            "DATABASE_URL": url,
            "KAFKA_BOOTSTRAP_SERVERS": broker.url,
            "LOG_FORMAT": "json",
            "PORT": "0",
        }

    # --- the processes

    def role(self, name):
        command = [sys.executable, "-m", "write_api", name]
        return Process(command, self.folder / f"{name}-{next(self.numbers)}.log", self.env)

    def relay(self):
        command = [sys.executable, Path(__file__).with_name("small_batches.py"), "relay"]
        return Process(command, self.folder / f"relay-{next(self.numbers)}.log", self.env)

    def writer(self, acts):
        program = Path(__file__).with_name("writer.py")
        number = next(self.numbers)
        command = [sys.executable, program, self.url, f"{SEED} {number}", str(acts)]
        made = Process(command, self.folder / f"writer-{number}.log")
        made.acts = acts
        return made

    def close(self):
        for process in (*self.relays, *self.writers):
            process.kill()
        self.database.close()

    def fill_up(self):
        """Let there be as many relays and writers again as there were, these for what is left to do."""
        for index, relay in enumerate(self.relays):
            if not relay.lives:
                self.killed.append(relay)
                self.relays[index] = self.relay()
        for index, writer in enumerate(self.writers):
            left = writer.acts - acts_of(writer)
            if not writer.lives and left > 0 and writer.code != 0:
                self.ended.append(writer)
                self.writers[index] = self.writer(left)

    # --- what is killed

    def kill(self, victim):
        self.kills[victim] += 1
        if victim == "writer":
            for writer in [one for one in self.writers if one.lives][:1]:
                writer.kill()
        elif victim == "active relay's connection":
            self.database.execute(END_CONNECTION)
        elif victim == "broker":
            self.kill_broker()
        elif victim == "relays":
            for relay in self.relays:
                relay.kill()
        else:
            relay = self.active() if victim == "active relay" else None
            (relay or self.rng.choice(self.relays)).kill()
        self.fill_up()

    def kill_broker(self):
        """And then the relay that still has messages for it, so that only the cursor knows of them."""
        self.broker.kill()
        done = self.done()
        until(lambda: self.done() >= done + 10 or not any(one.lives for one in self.writers))
        until(lambda: self.unsent() > 0 or not any(one.lives for one in self.writers))
        self.kill("active relay")
        self.broker.start()

    def active(self):
        """The relay that was the last one to say that it is at work."""
        printed = [(at_work(relay), index) for index, relay in enumerate(self.relays) if relay.lives and at_work(relay)]
        return self.relays[max(printed)[1]] if printed else None

    # --- what is to be seen

    def done(self):
        return sum(acts_of(writer) for writer in (*self.ended, *self.writers))

    def unsent(self):
        try:
            return self.database.execute(UNSENT).fetchone()[0]
        except psycopg.errors.UndefinedTable:
            return 0

    def all_is_sent(self):
        return self.database.execute("SELECT FROM relay_cursor").fetchone() is not None and self.unsent() == 0

    def undone(self):
        """Message ids of transactions that were rolled back."""
        printed = [line.split() for writer in (*self.ended, *self.writers) for line in writer.lines()]
        return {message_id for name, *ids in printed if name == "undone" for message_id in ids}

    # --- a round

    def round(self):
        before, acts = self.done(), ACTS * WRITERS
        self.ended += self.writers
        self.writers = [self.writer(ACTS) for _ in range(WRITERS)]
        victims = self.rng.choices(list(VICTIMS), list(VICTIMS.values()), k=KILLS - 1)
        victims.insert(self.rng.randint(KILLS // 3, KILLS - 1), "broker")
        # Each a while after the one before, so that those who begin anew get to work now and then.
        moments = sorted(self.rng.sample(range(acts // 20, acts), KILLS))
        for moment, victim in zip(moments, victims, strict=True):
            until(lambda moment=moment: self.reached(before + moment), what=f"act {moment}")
            self.kill(victim)
        until(lambda: not any(one.lives for one in self.writers), what="the writers' end")
        assert [one.code for one in self.writers] == [0] * WRITERS, [one.lines()[-3:] for one in self.writers]
        until(self.all_is_sent, what="that nothing of the outbox is left behind the cursor")

    def reached(self, acts):
        return self.done() >= acts or not any(one.lives for one in self.writers)


def acts_of(writer):
    return sum(not line.startswith("undone ") for line in writer.lines())


def at_work(relay):
    printed = [line for line in relay.lines() if '"this relay is active"' in line]
    return json.loads(printed[-1])["timestamp"] if printed else ""


def in_flight(relay):
    """Return the number of batches of its last such line."""
    printed = [line.split()[-1] for line in relay.lines() if line.startswith("in flight ")]
    return int(printed[-1]) if printed else 0


def whole_topic(broker, name):
    """Every message of the topic, by partition in the log's order, as (envelope, value)."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "proof", "auto.offset.reset": "earliest"})
    try:
        places = [TopicPartition(name, partition, 0) for partition in range(topics.EVENTS.partitions)]
        ends = {one.partition: consumer.get_watermark_offsets(one, timeout=30)[1] for one in places}
        log = {partition: [] for partition in ends}
        consumer.assign(places)
        until(lambda: read_some(consumer, log) >= sum(ends.values()), what="the end of the topic")
    finally:
        consumer.close()
    return log


def read_some(consumer, log):
    for message in consumer.consume(2000, 0.2):
        assert message.error() is None, message.error()
        log[message.partition()].append((from_headers(message.headers()), message.value()))
    return sum(map(len, log.values()))


def without_repeats(log):
    """Each partition's messages once. A repeat must be of the message that had its sequence before, and every other
    one has the sequence that follows.
    """
    kept, repeats = {}, 0
    for partition, messages in log.items():
        there = kept.setdefault(partition, [])
        for envelope, value in messages:
            if envelope.sequence <= len(there):
                assert there[envelope.sequence - 1] == (envelope, value), (
                    f"{envelope.sequence} of {partition} is two messages"
                )
                repeats += 1
            else:
                assert envelope.sequence == len(there) + 1, f"a gap before {envelope.sequence} of {partition}"
                there.append((envelope, value))
    return kept, repeats


def prove(proof):
    """All that is promised, of the whole log up to now. The figures."""
    kept, repeats = without_repeats(whole_topic(proof.broker.url, topics.EVENTS.name))
    messages = [one for there in kept.values() for one in there]
    arrived = [envelope.message_id for envelope, _ in messages]
    committed = {row.id for row in proof.database.execute("SELECT message_id::text AS id FROM outbox")}
    assert len(arrived) == len(set(arrived)), "a message came under two sequences"
    undone = proof.undone()
    assert not undone & set(arrived), "what was rolled back arrived"
    assert not committed - set(arrived), f"{len(committed - set(arrived))} of {len(committed)} events never arrived"
    assert not set(arrived) - committed, "what was never committed arrived"
    turns = {row.key: row.n for row in proof.database.execute("SELECT key, n FROM counts")}
    for key, last in turns.items():
        found = [
            msgspec.json.decode(v)["cheep_date"] for t, v in messages if (t.type, t.key) == (CheepPosted.TYPE, key)
        ]
        assert found == list(range(1, last + 1)), f"{key} is out of order: {found}"
    sent = {
        row.p: row.s
        for row in proof.database.execute('SELECT "partition" AS p, last_sequence AS s FROM relay_partitions')
    }
    assert sent == {partition: len(there) for partition, there in kept.items()}
    return f"{len(committed)} events of {len(turns)} keys, {len(undone)} undone, {repeats} repeated"


@pytest.fixture
def proof(postgres_url, own_kafka, tmp_path):
    made = Proof(postgres_url, own_kafka, tmp_path)
    yield made
    made.close()


@pytest.mark.timeout(300 + 300 * ROUNDS)
def test_every_committed_event_arrives_in_its_keys_order_without_a_gap(proof):
    """Whoever is killed: writers, relays, the active relay's connection, the broker."""
    migrating = proof.role("migrate")
    until(lambda: migrating.code is not None)
    assert migrating.code == 0, migrating.lines()
    proof.database.execute("CREATE TABLE counts (key text PRIMARY KEY, n int NOT NULL DEFAULT 0)")
    proof.database.execute("CREATE TABLE elsewhere (message text)")
    for _ in range(KEYS):
        proof.database.execute("INSERT INTO counts (key) VALUES (%s)", [str(UUID(int=proof.rng.getrandbits(128)))])
    proof.relays = [proof.relay() for _ in range(RELAYS)]
    for number in range(1, ROUNDS + 1):
        proof.round()
        kills = ", ".join(f"{times} times the {victim}" for victim, times in sorted(proof.kills.items()))
        print(f"seed {SEED}, round {number}: {prove(proof)}; killed {kills}")  # noqa: T201 - for who runs it with -s
    ahead = Counter(in_flight(relay) for relay in proof.killed)
    print(f"relays by the number of batches in flight when they were killed: {dict(ahead)}")  # noqa: T201 - as above
    assert any("in flight 2" in relay.lines() for relay in (*proof.killed, *proof.relays))
