"""The snapshot of the lag comes from the stores alone: no process of Cheeper runs in these tests."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit

import msgspec
import psycopg
import pytest

from cheeper_audit import bootstrap
from cheeper_audit.lag.outbox import RELAY_LOCK, SHOWN
from cheeper_audit.lag.snapshot import take
from cheeper_audit.settings import from_env
from cheeper_contracts import views
from cheeper_contracts.kafka.topics import partition_of
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.generations import LIVE, REGISTRY, REGISTRY_ID, prefix_of, registry_key
from cheeper_local.system.ports import free_port

WITHIN, BEYOND, INCOMPLETE = 0, 1, 2
ALL_OF_REDIS = {"author", "followers", "following", "muted", "muters", "cheep", "cheeps", "timeline"}
ALL_OF_MONGO = {"authors", "follows", "mutes", "blocks", "cheeps", "notifications"}
KEYS = {partition_of(str(n)): str(n) for n in range(100)}


class World:
    """An outbox, the relay's cursor and two stores' checkpoints, each moved by hand."""

    def __init__(self, write_model, redis, prefix, documents):
        self.write_model, self.redis, self.prefix, self.documents = write_model, redis, prefix, documents
        self.sent = dict.fromkeys(range(PARTITIONS), 0)
        self.waiting = []
        write_model.execute("UPDATE relay_cursor SET (epoch, xid, id) = (0, '0', 0)")
        write_model.execute("UPDATE relay_partitions SET last_sequence = 0")

    def commit(self, *ages, partition=3):
        """Return a row for each age, in seconds."""
        for age in ages:
            self.waiting.append(partition)
            self.write_model.execute(
                "INSERT INTO outbox VALUES (1, pg_current_xact_id(), %s,"
                " (extract(epoch FROM clock_timestamp() - make_interval(secs => %s)) * 1000000)::bigint, %s)",
                (len(self.waiting), age, KEYS[partition]),
            )

    def send(self):
        for partition in self.waiting:
            self.sent[partition] += 1
        self.waiting.clear()
        self.write_model.execute(
            "UPDATE relay_cursor SET (epoch, xid, id) ="
            " (SELECT epoch, xid, id FROM outbox AS o ORDER BY o.epoch DESC, o.xid DESC, o.id DESC LIMIT 1)"
        )
        for partition, sequence in self.sent.items():
            self.write_model.execute(
                'UPDATE relay_partitions SET last_sequence = %s WHERE "partition" = %s', (sequence, partition)
            )

    def apply(self, store, *, but=0, partition=3):
        """Return all that was sent, but for the last so many of a partition."""
        for each, sequence in self.sent.items():
            applied = sequence - (but if each == partition else 0)
            if store == "redis":
                self.redis.hset(views.CHECKPOINT.key(self.prefix, each), "sequence", applied)
            else:
                self.documents[views.CHECKPOINTS.name].replace_one({"_id": each}, {"sequence": applied}, upsert=True)


@pytest.fixture
def world(relay, redis, redis_prefix, mongo):
    return World(relay, redis, redis_prefix, mongo)


@pytest.fixture
def environ(postgres_url, redis_url, redis_prefix, mongo_url, mongo_database):
    return {
        "DATABASE_URL": postgres_url,
        "REDIS_URL": redis_url,
        "REDIS_PREFIX": redis_prefix,
        "MONGO_URL": mongo_url,
        "MONGO_DATABASE": mongo_database,
    }


@pytest.fixture
def snapshot(environ):
    """Take a snapshot."""

    def snapshot(**changes):
        with bootstrap.sources(from_env({**environ, **changes})) as sources:
            return take(sources)

    return snapshot


@pytest.fixture
def stranger(relay, postgres_url):
    """The URL of a role that may read the tables, and may not see the activity of others."""
    relay.execute("CREATE ROLE stranger LOGIN PASSWORD 'of-the-test'")
    relay.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO stranger")
    url = urlsplit(postgres_url)
    yield url._replace(netloc=f"stranger:of-the-test@{url.hostname}:{url.port}").geturl()
    relay.execute("DROP OWNED BY stranger")
    relay.execute("DROP ROLE stranger")


def run(environ, *arguments):
    """Return the program as people run it."""
    command = [sys.executable, "-m", "cheeper_audit", "--lag", *arguments]
    return subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, check=False)


def test_a_store_is_as_late_as_the_first_message_that_it_lacks_is_old(world, snapshot):
    """In messages and seconds, each store for itself, whatever came before or behind that message or elsewhere."""
    world.commit(900, 800, 40, 20, 1)
    world.commit(700, partition=5)
    world.send()
    world.apply("redis", but=3)
    world.apply("mongo", but=1)
    seen = snapshot()
    assert (seen.stores["redis"].missing.sequences, seen.stores["mongo"].missing.sequences) == (3, 1)
    assert 40 <= seen.stores["redis"].missing.seconds < 400
    assert 1 <= seen.stores["mongo"].missing.seconds < 20
    assert not seen.stores["redis"].missing.at_least
    world.apply("redis")
    assert snapshot().stores["redis"].missing.sequences == 0
    assert snapshot().stores["redis"].missing.seconds == 0


def test_what_is_beyond_its_objective_is_named_and_is_the_exit_code(world, environ):
    """A lag of one store is no lag of the other, and the last word of the program is of all."""
    world.commit(30)
    world.send()
    world.apply("redis")
    world.apply("mongo", but=1)
    finished = run(environ)
    assert finished.returncode == BEYOND
    redis, mongo, *_ = finished.stdout.splitlines()
    assert "0 sequences behind, 0.0 s, within the objectives" in redis
    assert "1 sequences behind, 3" in mongo
    assert "beyond the objective of authors, follows, mutes, blocks, cheeps, notifications" in mongo
    found = msgspec.json.decode(run(environ, "--json").stdout)
    assert set(found["stores"]["mongo"]["late"]) == ALL_OF_MONGO
    assert found["stores"]["redis"]["late"] == []
    world.apply("mongo")
    assert run(environ).returncode == WITHIN


def test_what_waits_for_the_relay_is_lag_of_both_stores(world, snapshot):
    """It is missing in the views from its commit on, sent or not."""
    world.commit(50)
    world.send()
    world.apply("redis", but=1)
    world.apply("mongo")
    world.commit(25, 20)
    seen = snapshot()
    assert (seen.relay.waiting, seen.relay.held_back, seen.relay.active) == (2, 0, None)
    assert 25 <= seen.relay.seconds < 50
    assert seen.stores["redis"].missing.sequences == 3
    assert seen.stores["redis"].missing.seconds >= 50
    assert set(seen.stores["redis"].late) == ALL_OF_REDIS
    assert seen.stores["mongo"].missing.sequences == 2
    assert 25 <= seen.stores["mongo"].missing.seconds < 50
    assert any("nobody sends, 0 stand by; 2 messages wait, the first for 25" in line for line in seen.lines())


def test_a_log_that_is_filled_again_is_no_lag(world, snapshot):
    """After Kafka was wiped the relay begins anew; a store that holds what waits lacks nothing of it."""
    world.commit(90, 80)
    world.send()
    world.apply("redis")
    world.apply("mongo", but=1)
    world.write_model.execute("UPDATE relay_cursor SET (epoch, xid, id) = (0, '0', 0)")
    world.write_model.execute("UPDATE relay_partitions SET last_sequence = 0")
    seen = snapshot()
    assert (seen.relay.waiting, seen.stores["redis"].missing.sequences) == (2, 0)
    assert seen.stores["mongo"].missing.sequences == 1
    assert 80 <= seen.stores["mongo"].missing.seconds < 90


def test_messages_whose_rows_were_deleted_are_counted_with_a_least_age(world, snapshot):
    """After retention has dropped rows of the outbox, the age is at least that of the oldest row that is left."""
    world.commit(500, 400, 300)
    world.send()
    world.apply("redis", but=3)
    world.apply("mongo")
    world.write_model.execute("DELETE FROM outbox WHERE id < 3")
    seen = snapshot()
    missing = seen.stores["redis"].missing
    assert (missing.sequences, missing.at_least) == (3, True)
    assert 300 <= missing.seconds < 400
    assert next(seen.lines()).split()[1:4] == ["at", "least", "3"]


def test_the_holder_of_the_horizon_is_reported(world, snapshot, postgres_url):
    """Rows that were written since a transaction began wait for its end, and it is named with its state, but without
    its statement, which may hold a stranger's values.
    """
    with psycopg.connect(postgres_url, application_name="someone") as holder:
        holder.execute("CREATE TABLE held AS SELECT 'a secret' AS s")
        world.commit(7)
        seen = snapshot()
        assert (seen.relay.waiting, seen.relay.held_back) == (1, 1)
        assert "someone" in seen.relay.holder.who
        assert seen.relay.holder.state == "idle in transaction"
        assert seen.relay.holder.seconds >= 0
        assert any("1 of them for the transaction of pid " in line for line in seen.lines())
        assert b"secret" not in msgspec.json.encode(seen)
        holder.rollback()
    assert (snapshot().relay.held_back, snapshot().relay.holder) == (0, None)


def test_a_role_without_privileges_gets_what_it_may_see(world, snapshot, postgres_url, stranger):
    """Process and program of who holds the horizon, and no age."""
    with psycopg.connect(postgres_url, application_name="someone") as holder:
        holder.execute("SELECT pg_current_xact_id()")
        world.commit(7)
        seen = snapshot(DATABASE_URL=stranger)
        assert "someone" in seen.relay.holder.who
        assert (seen.relay.holder.state, seen.relay.holder.seconds) == (None, None)
        assert any(line.endswith(", someone") for line in seen.lines())


def test_the_active_relay_and_the_standbys_are_reported(world, snapshot, postgres_url):
    """By the lock of the one active relay, among the connections of relays."""
    assert world
    with (
        psycopg.connect(postgres_url, application_name="write-api-relay") as active,
        psycopg.connect(postgres_url, application_name="write-api-relay"),
    ):
        active.execute("SELECT pg_advisory_lock(%s)", (RELAY_LOCK,))
        seen = snapshot()
        assert (seen.relay.active, seen.relay.standby) == (active.info.backend_pid, 1)


def test_tasks_and_dead_letters_are_counted(world, snapshot, redis, redis_prefix, mongo):
    """Of each store, messages and not their keys, and of the write side by topic."""
    redis.rpush(views.TASK_AUTHORS.key(redis_prefix, 2), "a", "b")
    redis.sadd(views.PARKED_KEYS.key(redis_prefix, 4), "k")
    redis.rpush(views.PARKED.key(redis_prefix, "k"), "one", "two", "three")
    mongo[views.PARKED_MESSAGES.name].insert_one({"key": "k"})
    world.write_model.execute("INSERT INTO dead_letters VALUES ('cheeper.commands'), ('cheeper.commands')")
    seen = snapshot()
    assert (seen.stores["redis"].snapshot.tasks, seen.stores["redis"].snapshot.parked) == (2, 3)
    assert (seen.stores["mongo"].snapshot.tasks, seen.stores["mongo"].snapshot.parked) == (0, 1)
    assert list(seen.lines())[-1].endswith("2 of cheeper.commands")


def test_accepted_commands_that_may_be_lost_are_counted(world, snapshot):
    """The line names the overdue ones and a topic that was made again, with their repair. A command that was
    withdrawn is not among them, nor one whose record was deleted.
    """
    assert world
    assert not any(line.startswith("commands") for line in snapshot().lines())
    world.write_model.execute(
        "INSERT INTO handled_commands SELECT NULL, 1000000 * extract(epoch FROM now() - make_interval(secs => s)), a"
        " FROM unnest(array[5, 120, 3600, 600, 8 * 24 * 3600], array[true, true, true, false, true]) AS rows (s, a)"
    )
    (line,) = (line for line in snapshot().lines() if line.startswith("commands"))
    assert "2 were accepted more than 60 s ago" in line
    assert "made again" not in line
    world.write_model.execute(
        "INSERT INTO consumer_checkpoints SELECT 1000000 * extract(epoch FROM now() - interval '90 min')"
    )
    (line,) = (line for line in snapshot().lines() if line.startswith("commands"))
    assert "made again 1.5 h ago" in line
    assert "repeat with its message id" in line


def test_the_snapshot_is_of_the_live_generation(world, snapshot, redis, redis_prefix, mongo):
    """Each store's registry decides for that store."""
    world.commit(60)
    world.send()
    world.apply("redis", but=1)
    world.apply("mongo")
    redis.hset(registry_key(redis_prefix), LIVE, 2)
    redis.hset(views.CHECKPOINT.key(prefix_of(redis_prefix, 2), 3), "sequence", 1)
    try:
        seen = snapshot()
        assert (seen.stores["redis"].snapshot.generation, seen.stores["redis"].missing.sequences) == (2, 0)
        assert (seen.stores["mongo"].snapshot.generation, seen.stores["mongo"].missing.sequences) == (1, 0)
        mongo[REGISTRY].insert_one({"_id": REGISTRY_ID, LIVE: 3})
        seen = snapshot()
        assert (seen.stores["mongo"].snapshot.generation, seen.stores["mongo"].missing.sequences) == (3, 1)
    finally:
        redis.delete(views.CHECKPOINT.key(prefix_of(redis_prefix, 2), 3))


@pytest.mark.variants
@pytest.mark.parametrize(
    ("variable", "scheme", "sentence"),
    [("REDIS_URL", "redis", "The Redis at REDIS_URL"), ("MONGO_URL", "mongodb", "The MongoDB at MONGO_URL")],
)
def test_an_unavailable_store_is_a_sentence_and_the_rest_is_reported(world, environ, variable, scheme, sentence):
    """The exit code shows that the snapshot is not complete."""
    world.commit(30)
    world.send()
    world.apply("redis")
    world.apply("mongo")
    finished = run({**environ, variable: f"{scheme}://127.0.0.1:{free_port()}"})
    assert finished.returncode == INCOMPLETE
    lines = finished.stdout.splitlines()
    assert [sentence in line for line in lines].count(True) == 1
    assert ["0 sequences behind" in line for line in lines].count(True) == 1
    assert "nothing waits" in lines[2]


def test_without_postgresql_the_stores_are_still_reported(world, environ):
    """Their sequences are shown without a lag; no store is called late, and none in time."""
    world.commit(30)
    world.send()
    world.apply("redis")
    world.apply("mongo")
    finished = run({**environ, "DATABASE_URL": f"postgresql://127.0.0.1:{free_port()}/none"})
    assert finished.returncode == INCOMPLETE
    redis, mongo, relay = finished.stdout.splitlines()
    assert "at 1, of an unknown number" in redis
    assert "at 1, of an unknown number" in mongo
    assert "The PostgreSQL at DATABASE_URL cannot be reached." in relay
    assert "objectives" not in finished.stdout


def test_a_long_way_back_is_found_and_a_long_queue_is_cut(world, snapshot):
    """The first message that is missing lies behind thousands of others' rows; a queue that long is cut."""
    world.commit(77)
    world.waiting += [5] * 2 * SHOWN
    world.write_model.execute(
        "INSERT INTO outbox SELECT 1, pg_current_xact_id(), 10 + n,"
        " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, %s FROM generate_series(1, %s) AS n",
        (KEYS[5], 2 * SHOWN),
    )
    world.send()
    world.apply("redis", but=1)
    world.apply("mongo")
    missing = snapshot().stores["redis"].missing
    assert (missing.sequences, missing.at_least) == (1, False)
    assert missing.seconds >= 77
    world.write_model.execute("UPDATE relay_cursor SET (epoch, xid, id) = (0, '0', 0)")
    assert (snapshot().relay.waiting, snapshot().stores["redis"].missing.at_least) == (SHOWN, True)
