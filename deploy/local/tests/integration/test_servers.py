from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis
from pymongo import MongoClient

from cheeper_local.errors import LocalError
from cheeper_local.servers import Kafka, Mongo, Postgres, Redis, Tansu, kafka_jars, kafka_protocol
from cheeper_local.waiting import until

pytestmark = pytest.mark.variants


def keep_in_postgres(server: Postgres) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept (a int)")


def is_in_postgres(server: Postgres) -> bool:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone()
        return bool(row and row[0])


def keep_in_redis(server: Redis) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.set("kept", 1)


def is_in_redis(server: Redis) -> bool:
    with redis.Redis.from_url(server.url) as client:
        return client.get("kept") is not None


def keep_in_mongo(server: Mongo) -> None:
    with MongoClient(server.url, w="majority", journal=True) as client:
        client.test.things.insert_one({"_id": "kept"})


def is_in_mongo(server: Mongo) -> bool:
    with MongoClient(server.url) as client:
        return client.test.things.count_documents({"_id": "kept"}) == 1


def keep_in_broker(server: Kafka | Tansu) -> None:
    kafka_protocol.make_topic(server.url, "kept", 1)


def is_in_broker(server: Kafka | Tansu) -> bool:
    return bool(kafka_protocol.topics(server.url, "kept"))


DURABLE = [
    # The first one runs in `make test`: it is the fastest, and the tests of the services stop and restore the others.
    pytest.param(Redis, keep_in_redis, is_in_redis, id="redis"),
    pytest.param(Postgres, keep_in_postgres, is_in_postgres, id="postgres"),
    pytest.param(Mongo, keep_in_mongo, is_in_mongo, id="mongo"),
    pytest.param(
        Kafka,
        keep_in_broker,
        is_in_broker,
        id="kafka",
        marks=pytest.mark.skipif(
            kafka_jars.reason_against() is not None, reason=f"Kafka: {kafka_jars.reason_against()}"
        ),
    ),
]


@pytest.mark.parametrize(("kind", "keep", "is_kept"), DURABLE)
def test_data_outlives_a_stop_and_a_kill_but_not_a_wipe(folder, kind, keep, is_kept):
    """A server that was stopped or killed comes back on its port with its data; a wiped one comes back empty."""
    server = kind(folder)
    try:
        server.start()
        port = server.port
        keep(server)
        for end in (server.stop, server.kill):
            end()
            assert not server.running
            server.start()
            assert is_kept(server)
        server.wipe()
        server.start()
        assert not is_kept(server)
        assert server.port == port
    finally:
        server.wipe()


@pytest.mark.parametrize(("kind", "keep", "is_kept"), DURABLE)
def test_data_can_go_back_to_a_copy(folder, kind, keep, is_kept):
    """A saved server can be restored any number of times; a running one refuses to be saved or restored."""
    server = kind(folder)
    try:
        server.start()
        with pytest.raises(LocalError, match=r"is running: stop it before its data can be saved"):
            server.save()
        server.stop()
        server.save()
        for end in (server.stop, server.kill):
            server.start()
            assert not is_kept(server)
            keep(server)
            end()
            server.restore()
    finally:
        server.wipe()
    assert not server.data.exists()


@pytest.mark.parametrize(("kind", "keep", "is_kept"), DURABLE[:3])
def test_data_can_move_to_another_port(folder, kind, keep, is_kept):
    """A later start on another port finds the same data; MongoDB's replica set follows."""
    first = kind(folder)
    try:
        first.start()
        keep(first)
        first.stop()
    finally:
        first.kill()
    second = kind(folder)
    try:
        second.start()
        assert second.port != first.port
        assert is_kept(second)
    finally:
        second.wipe()


def test_tansu_forgets_everything_when_it_stops(folder):
    """Tansu keeps no data over a stop, and is marked as not durable."""
    server = Tansu(folder)
    assert not server.durable
    try:
        server.start()
        keep_in_broker(server)
        server.stop()
        server.start()
        assert not is_in_broker(server)
    finally:
        server.wipe()


@pytest.mark.extended
def test_the_wheels_postgres_runs_too(folder, monkeypatch):
    """With SERVERS_FROM=wheels, or without PostgreSQL on the PATH, the wheel's version 18 runs."""
    monkeypatch.setenv("SERVERS_FROM", "wheels")
    server = Postgres(folder)
    try:
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.info.server_version // 10_000 == 18
    finally:
        server.wipe()


@pytest.mark.skipif(os.getuid() != 0, reason="only root has folders that it can enter and the server's user cannot")
@pytest.mark.extended
def test_postgres_under_a_folder_of_roots_alone_keeps_its_data_elsewhere(folder, monkeypatch):
    """A clone under /root works: the data and, if need be, the programs are below /var/tmp."""
    monkeypatch.setenv("SERVERS_FROM", "wheels")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres(closed / "postgres")
    try:
        server.start()
        assert server.data.is_relative_to("/var/tmp")  # noqa: S108 - where it says it is
        keep_in_postgres(server)
    finally:
        server.wipe()
    assert not server.data.exists()


def test_a_given_port_that_is_in_use_is_refused_with_a_sentence(folder, occupied_port):
    """A server never takes another port than the one it was given."""
    with pytest.raises(LocalError, match=rf"^redis cannot start: port {occupied_port} is in use\.$"):
        Redis(folder, occupied_port).start()


def test_a_server_that_cannot_start_says_why(folder):
    """The error of a server that cannot start has the last line of its log."""
    server = Redis(folder)
    server.prepare()
    (server.data / "appendonlydir").write_text("a file is in its place")
    with pytest.raises(LocalError, match=r"^redis did not start: .*appendonlydir"):
        server.start()
    assert not server.running


@pytest.mark.extended
def test_a_server_ends_with_the_process_that_started_it(folder):
    """Kill -9 of the parent ends PostgreSQL, which runs as another user, cleanly."""
    script = (
        "import sys, time, pathlib; from cheeper_local.servers import Postgres;"
        "server = Postgres(pathlib.Path(sys.argv[1])); server.start(); print(server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, folder], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.communicate()
    until(lambda: not Path(f"/proc/{pid}").exists())
    assert "database system is shut down" in (folder / "postgres.log").read_text()


@pytest.mark.extended  # write-api's test_epoch.py has what follows from it
def test_a_restored_database_begins_another_timeline(folder):
    """A restored PostgreSQL has the timeline of a recovery, by which the relay notices that it lost transactions."""
    server = Postgres(folder)

    def timeline():
        with psycopg.connect(server.url) as connection:
            return connection.execute("SELECT timeline_id FROM pg_control_checkpoint()").fetchone()[0]

    try:
        server.start()
        assert timeline() == 1
        server.stop()
        server.save()
        server.restore()
        server.start()
        until(lambda: timeline() == 2)
    finally:
        server.wipe()
