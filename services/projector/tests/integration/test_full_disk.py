"""Redis and MongoDB whose disk is really full: waited for and reported, nothing skipped, nothing taken for poison."""

from contextlib import suppress

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from cheeper_local.servers import Mongo, Redis
from cheeper_local.testing import until
from cheeper_local.testing.faults.small_disk import SmallDisk, may_mount

SERVERS = {"redis": (Redis, 20), "mongo": (Mongo, 420)}
"""And how many megabytes its disk has. MongoDB makes 300 of files before it needs them."""

pytestmark = [
    pytest.mark.extended,
    pytest.mark.proves(guarantee="transient-faults"),
    pytest.mark.skipif(not may_mount(), reason="only who may mount has a disk that is small enough to fill"),
]


@pytest.fixture
def on_disk(request, tmp_path):
    """The server that the consumer of this run writes to, and the small disk with its data."""
    kind, megabytes = SERVERS[request.node.callspec.params["running"]]
    disk = SmallDisk(megabytes)
    server = kind(disk.folder, log=tmp_path / "log", fast=True)
    server.start()
    yield server, disk
    server.wipe()
    disk.remove()


@pytest.fixture
def redis_url(on_disk, servers):
    return on_disk[0].url if isinstance(on_disk[0], Redis) else servers.shared("redis").url


@pytest.fixture
def mongo_url(on_disk, servers):
    return on_disk[0].url if isinstance(on_disk[0], Mongo) else servers.shared("mongo").url


def ask_for_room(server):
    """MongoDB writes to files that it has already until its next checkpoint, which ends it: this asks for that now."""
    if isinstance(server, Mongo):
        with suppress(PyMongoError), MongoClient(server.url, serverSelectionTimeoutMS=500) as client:
            client.admin.command("fsync")


@pytest.mark.parametrize(
    ("running", "ends"), [("redis", False), ("redis", True), ("mongo", True)], indirect=["running"]
)
def test_a_store_on_a_full_disk_is_waited_for(running, on_disk, kafka, story, author, followers, ends):
    """Readiness says why; with room again, and started again where it ended or was killed meanwhile, it is given all
    that came, once, and nothing is parked.

    Fails where `MISCONF` is no fault that passes (Redis).
    """
    (server, disk), one = on_disk, author()

    def follow():
        kafka.send([story.followed(author(), one).message])

    def is_whole():
        return consumer.sequences() == {partition: len(log) for partition, log in story.messages.items()}

    def refused():
        assert consumer.failure is None
        follow()  # Redis finds out by a write, which it takes
        ask_for_room(server)
        return [why for why in consumer.reasons() if why]

    with running() as consumer:
        kafka.send([story.signed(one).message])
        until(lambda: is_whole() and not consumer.reasons())
        with disk.full():
            until(refused)
            assert not any("127.0.0.1" in why for why in consumer.reasons())
            follow()
            if ends and isinstance(server, Redis):
                server.kill()
        if ends:
            assert not server.running
            server.start()
        until(lambda: is_whole() or consumer.failure)
        assert consumer.failure is None
        until(lambda: consumer.reasons() == [])
        assert consumer.store.status().parked == 0
        assert followers(one) == sum(len(log) for log in story.messages.values()) - 1
