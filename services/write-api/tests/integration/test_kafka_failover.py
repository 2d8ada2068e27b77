"""The leader of a Kafka of three brokers is killed or frozen while commands come without pause."""

import asyncio
import os
import sys
import uuid
from contextlib import suppress

import pytest
from confluent_kafka import KafkaException
from write_api_consumers import envelope_of

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.kafka import topics
from cheeper_local.testing import eventually, until
from cheeper_local.testing.replicated import HOW, Availability, KafkaCluster
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.ids import new_id
from write_api.kafka.producer import BrokerUnavailableError
from write_api.kafka.topics import admin_client, ensure_topics

pytestmark = [
    pytest.mark.extended,
    pytest.mark.proves(guarantee="failovers"),
    pytest.mark.skipif(os.environ.get("BROKER") == "tansu", reason="Tansu has no replicas"),
    pytest.mark.takes(seconds=15),
]

PAUSE = 0.02


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = KafkaCluster(tmp_path_factory.mktemp("kafka-cluster"))
    made.start()
    yield made
    made.wipe()


@pytest.fixture
def kafka_bootstrap(cluster):
    cluster.wait_whole()
    return cluster.url


@pytest.fixture
def topic_prefix(kafka_bootstrap):
    """Make the topics with patience, for three brokers on a busy machine. Delete nothing: they end with the module."""
    prefix = f"t{uuid.uuid4().hex}."

    def are_made():
        with suppress(KafkaException, TimeoutError):
            ensure_topics(admin_client(KafkaConnection(kafka_bootstrap)), prefix)
            return True

    until(are_made, what="the topics are made")
    return prefix


def authors_of_all_partitions():
    """Return an author for each partition, so that every broker leads some of them."""
    found = {}
    while len(found) < topics.COMMANDS.partitions:
        author = new_id()
        found.setdefault(topics.partition_of(author), author)
    return list(found.values())


class Client:
    """Sends one command after another until it is stopped, and repeats each with its id until it is acknowledged."""

    def __init__(self, consumers):
        self.acknowledged, self.available, self.stopped = [], Availability(), False
        self._consumers = consumers

    async def run(self):
        authors = self._consumers.authors
        while not self.stopped:
            author = authors[len(self.acknowledged) % len(authors)]
            command = PostCheep(cheep_id=new_id(), author_id=author, message="hello")
            await self._send(command, envelope_of(command))
            await asyncio.sleep(PAUSE)

    async def _send(self, command, envelope):
        while True:
            with suppress(BrokerUnavailableError):
                await self._consumers.producer.send(command, envelope)
                self.acknowledged.append(command.cheep_id)
                self.available.succeeded()
                return


class Watch:
    """Notes when more commands were handled, and when more events were sent."""

    def __init__(self, outbox_scene):
        self.handled = self.sent = 0
        self.handling, self.sending = Availability(), Availability()
        self.stopped = False
        self._scene = outbox_scene

    async def run(self):
        while not self.stopped:
            (found,) = await self._scene.execute(
                "SELECT (SELECT count(*) FROM cheeps) AS handled,"
                " (SELECT sum(last_sequence) FROM relay_partitions) AS sent"
            )
            if found.handled > self.handled:
                self.handled = found.handled
                self.handling.succeeded()
            if (found.sent or 0) > self.sent:
                self.sent = found.sent
                self.sending.succeeded()
            await asyncio.sleep(PAUSE)


async def test_topics_are_made_on_as_many_brokers_as_the_cluster_says(cluster, kafka_bootstrap, topic_prefix):
    """A number of replicas in our own settings would undo the brokers' `default.replication.factor`."""
    admin = admin_client(KafkaConnection(kafka_bootstrap))
    names = {topic.named(topic_prefix) for topic in topics.TOPICS}

    def replicas():
        known = admin.list_topics(timeout=10).topics  # a broker learns of new topics a moment later
        made = [known[name] for name in names if name in known]
        return len(made) == len(names) and {len(one.replicas) for topic in made for one in topic.partitions.values()}

    assert await eventually(lambda: asyncio.to_thread(replicas)) == {len(cluster.members)}


@pytest.mark.parametrize("how", HOW)
async def test_another_leader_is_followed(cluster, consumers, outbox_scene, running, read_topic, how, capsys):
    """Every command that was acknowledged is handled once and its event is sent once, in order, without a restart.

    Broken by a producer that takes one replica's word for it.
    """
    consumers.authors = authors_of_all_partitions()
    await consumers.sign_up()
    client, watch = Client(consumers), Watch(outbox_scene)

    async def work_for_a_while():
        before = len(client.acknowledged), watch.handled, watch.sent

        def enough():
            now = len(client.acknowledged), watch.handled, watch.sent
            return all(n >= b + 30 for n, b in zip(now, before, strict=True))

        await eventually(enough)

    async with running(consumers.worker(), outbox_scene.relay(), outbox_scene.relay()):
        tasks = [asyncio.create_task(each.run()) for each in (client, watch)]
        try:
            await work_for_a_while()
            commands = topics.COMMANDS.named(consumers.prefix)
            leader = await asyncio.to_thread(cluster.leader, commands, topics.partition_of(consumers.authors[0]))
            with cluster.failed(leader, how):
                await work_for_a_while()
            await asyncio.to_thread(cluster.wait_whole)
            await work_for_a_while()
            # A command that was cancelled on its way would be handled at any time, even after the relays have ended.
            client.stopped = True
            await tasks[0]
            await eventually(lambda: watch.handled >= len(client.acknowledged))
            await eventually(lambda: everything_is_sent(outbox_scene))
        finally:
            client.stopped = watch.stopped = True
            await asyncio.gather(*tasks)
    rows = await outbox_scene.execute("SELECT cheep_id::text AS id FROM cheeps")
    assert set(client.acknowledged) <= {row.id for row in rows}
    assert await consumers.letters() == []
    (outbox,) = await outbox_scene.execute("SELECT count(*) AS n FROM outbox")
    log = outbox_scene.by_sequence(await read_topic(outbox_scene.topic, outbox.n, outbox_scene.bootstrap))
    assert sum(map(len, log.values())) == outbox.n
    with capsys.disabled():
        pauses = [each.longest_pause for each in (client.available, watch.handling, watch.sending)]
        words = "no command acknowledged for {:.1f} s, none handled for {:.1f} s, no event sent for {:.1f} s"
        sys.stdout.write(f"\nleader {how}: {words.format(*pauses)}\n")


async def everything_is_sent(outbox_scene):
    (found,) = await outbox_scene.execute(
        "SELECT (SELECT count(*) FROM outbox) = (SELECT sum(last_sequence) FROM relay_partitions) AS done"
    )
    return found.done
