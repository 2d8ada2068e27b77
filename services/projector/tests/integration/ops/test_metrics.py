"""GET /metrics of a projector as it runs: what it says moves with what happens to its stores and its log."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from prometheus_client.parser import text_string_to_metric_families
from pymongo import MongoClient
from redis import Redis

from cheeper_contracts.kafka.topics import EVENTS, TOPICS, partition_of
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.lag import LAG, SILENT_SECONDS, LagReport, lag_key, report_id
from cheeper_local.system.ports import free_port
from cheeper_local.testing import until
from projector.ops import metrics

SOME_SECONDS = 4.0  # beyond the objective of any view
NEVER = {metrics.RETRIES.name}  # has a series once there was one


class World:
    """A log, and a projector beside it."""

    def __init__(self, environ):
        self.environ = environ
        self.servers, self.prefix = environ["KAFKA_BOOTSTRAP_SERVERS"], environ["TOPIC_PREFIX"]
        self.port = int(environ["PORT"])
        admin = AdminClient({"bootstrap.servers": self.servers})
        wanted = [NewTopic(topic.named(self.prefix), topic.partitions, 1, config=topic.config) for topic in TOPICS]
        for made in admin.create_topics(wanted).values():
            made.result(60)

    def send(self, messages):
        producer = Producer({"bootstrap.servers": self.servers, "enable.idempotence": True})
        for each in messages:
            producer.produce(
                EVENTS.named(self.prefix),
                value=each.value(),
                key=each.key(),
                headers=each.headers(),
                partition=each.partition(),
            )
        assert producer.flush(60) == 0

    @contextmanager
    def projector(self):
        process = subprocess.Popen(
            [sys.executable, "-m", "projector", "run"], env={**os.environ, **self.environ}, stdout=subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            process.terminate()
            assert process.wait(60) == 0

    def scraped(self):
        """Return all samples by metric, each as (labels, value), or no samples without a response."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as response:
                text = response.read().decode()
        except OSError:
            return {}
        found = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found

    def of(self, metric, suffix="", **labels):
        """The values of a metric's series that have these labels."""
        return [
            value
            for found, value in self.scraped().get(metric.name + suffix, [])
            if all(found[name] == wanted for name, wanted in labels.items())
        ]

    def eventually(self, metric, holds, **labels):
        """Waits until there are values and the condition holds for them."""
        until(lambda: (values := self.of(metric, **labels)) and holds(values))

    def reports(self, store):
        """The lag reports that the store holds, by their ids."""
        if store == "redis":
            with Redis.from_url(self.environ["REDIS_URL"]) as client:
                found = client.hgetall(lag_key(self.environ["REDIS_PREFIX"]))
            return {name.decode(): msgspec.json.decode(text, type=LagReport) for name, text in found.items()}
        with MongoClient(self.environ["MONGO_URL"]) as client:
            found = list(client[self.environ["MONGO_DATABASE"]][LAG].find())
        return {each["_id"]: msgspec.convert(each, LagReport) for each in found}


@pytest.fixture
def environ(kafka_bootstrap, topic_prefix, own_redis, redis_prefix, mongo_url, mongo_database):
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "TOPIC_PREFIX": topic_prefix,
        "REDIS_URL": own_redis.url,
        "REDIS_PREFIX": redis_prefix,
        "MONGO_URL": mongo_url,
        "MONGO_DATABASE": mongo_database,
        "PORT": str(free_port()),
        "LOG_FORMAT": "json",
    }


@pytest.fixture
def world(environ):
    return World(environ)


@pytest.fixture
def remade(helpers):
    """A message with another value, or another value of one of its headers."""

    def remade(message, value=None, **headers):
        changed = [(name, headers.get(name, text)) for name, text in message.headers()]
        return helpers.FakeMessage(
            partition=message.partition(),
            offset=message.offset(),
            key=message.key(),
            headers=changed,
            value=value or message.value(),
        )

    return remade


def test_every_declared_metric_is_exposed_and_parses(world, story, author, remade):
    """After an event, a duplicate, an unknown type and poison, each has its number in the store's own series."""
    one = author()
    first, second, third = story.signed(one), story.posted(one), story.posted(one)
    at = str(first.partition)
    unknown = remade(second.message, ce_type=b"cheeper.not-yet.v1")
    world.send([first.message, first.message, unknown, remade(third.message, value=b"{")])
    with world.projector():
        for store in ("redis", "mongo"):
            world.eventually(metrics.PARKED_WAITING, lambda values: values == [1], store=store)
            for metric in (metrics.APPLIED, metrics.DUPLICATES, metrics.UNKNOWN, metrics.PARKED):
                assert world.of(metric, store=store, generation="1") == [1], metric.name
            assert world.of(metrics.SEQUENCE, store=store, partition=at) == [3]
            world.eventually(metrics.LAG_SECONDS, lambda values: values == [0] * PARTITIONS, store=store)
            assert world.of(metrics.LAG_MESSAGES, store=store) == [0] * PARTITIONS
            assert set(world.of(metrics.OBJECTIVE_MISSED, store=store)) == {0}
            for metric in (metrics.VISIBLE, metrics.APPLYING):
                assert world.of(metric, "_count", store=store, generation="1")[0] >= 1, metric.name
        exposed = {name.removesuffix("_bucket") for name in world.scraped()}
        assert {each.name for each in metrics.DECLARED} - NEVER <= exposed


@pytest.mark.extended  # as it does behind a gap
def test_lag_grows_while_a_store_is_unavailable_and_falls_to_none_after(world, story, author, remade, own_redis):
    """Of that store alone, beyond its objectives, with the driver's error as the reason; when it is back it is 0."""
    one, other = story.signed(author()).message, story.signed(author())
    at, now = str(other.partition), datetime.now(UTC).isoformat(timespec="microseconds").encode()
    with world.projector():
        world.send([one])
        for store in ("redis", "mongo"):
            world.eventually(metrics.APPLIED, lambda values: values == [1], store=store)
        own_redis.stop()
        world.send([remade(other.message, ce_time=now)])
        world.eventually(metrics.APPLIED, lambda values: values == [2], store="mongo")
        world.eventually(metrics.RETRIES, lambda values: sum(values) > 1, store="redis")
        world.eventually(metrics.LAG_SECONDS, lambda values: values[0] > SOME_SECONDS, store="redis", partition=at)
        [earlier] = world.of(metrics.LAG_SECONDS, store="redis", partition=at)
        world.eventually(metrics.LAG_SECONDS, lambda values: values[0] > earlier, store="redis", partition=at)
        assert world.of(metrics.LAG_MESSAGES, store="redis", partition=at) == [1]
        assert set(world.of(metrics.OBJECTIVE_MISSED, store="redis")) == {1}
        assert world.of(metrics.LAG_MESSAGES, store="mongo", partition=at) == [0]
        assert set(world.of(metrics.OBJECTIVE_MISSED, store="mongo")) == {0}
        assert world.of(metrics.TASKS, store="mongo") == [0]
        world.eventually(metrics.TASKS, lambda values: len(values) == 1)  # redis is unavailable and has none
        own_redis.start()
        world.eventually(metrics.APPLIED, lambda values: values == [2], store="redis")
        world.eventually(metrics.LAG_MESSAGES, lambda values: not any(values), store="redis")
        world.eventually(metrics.LAG_SECONDS, lambda values: not any(values), store="redis")


@pytest.mark.extended  # as it is behind a gap
def test_lag_is_that_of_what_came_while_the_projector_was_stopped(world, story, author, remade, own_redis):
    """A store that is unavailable from the start has no metrics of its own and lags; then it catches up."""
    own_redis.stop()
    world.send([remade(story.signed(author()).message)])
    with world.projector():
        world.eventually(metrics.APPLIED, lambda values: values == [1], store="mongo")
        world.eventually(metrics.LAG_SECONDS, lambda values: min(values) > SOME_SECONDS, store="redis")
        assert world.of(metrics.LAG_MESSAGES, store="redis") == []
        assert set(world.of(metrics.OBJECTIVE_MISSED, store="redis")) == {1}
        own_redis.start()
        world.eventually(metrics.LAG_SECONDS, lambda values: values == [0] * PARTITIONS, store="redis")


def test_a_gap_is_exposed_and_lag_grows_behind_it(world, story, author):
    """1 in the partition where a sequence is missing, with the seconds since what comes behind it is there."""
    one = author()
    story.signed(one)
    story.posted(one)
    story.posted(one)
    partition = partition_of(one)
    first, second, third = story.messages[partition]
    at = str(partition)
    with world.projector():
        world.send([first])
        world.eventually(metrics.SEQUENCE, lambda values: values == [1], store="mongo", partition=at)
        world.send([third])
        for store in ("redis", "mongo"):
            world.eventually(metrics.GAP, lambda values: values == [1], store=store, partition=at)
            world.eventually(metrics.LAG_SECONDS, lambda values: values[0] > SOME_SECONDS, store=store, partition=at)
            assert set(world.of(metrics.OBJECTIVE_MISSED, store=store)) == {1}
            assert world.of(metrics.SEQUENCE, store=store, partition=at) == [1]
        assert sum(world.of(metrics.GAP)) == 2
        world.send([second, third])
        for store in ("redis", "mongo"):
            world.eventually(metrics.SEQUENCE, lambda values: values == [3], store=store, partition=at)
            world.eventually(metrics.GAP, lambda values: not any(values), store=store)
            world.eventually(metrics.LAG_SECONDS, lambda values: not any(values), store=store)
            world.eventually(metrics.OBJECTIVE_MISSED, lambda values: not any(values), store=store)


@pytest.mark.variants
@pytest.mark.parametrize("store", ["redis", "mongo"])
def test_the_store_gets_reports_of_its_own_lag(world, story, author, store):
    """Of each partition, again and again; a gap behind which messages wait is in it; then silence, which is late."""
    one = author()
    for _ in range(3):
        story.posted(one)
    first, _, third = story.messages[partition_of(one)]
    everything, here = {report_id(1, partition) for partition in range(PARTITIONS)}, report_id(1, partition_of(one))
    with world.projector():
        world.send([first])
        until(lambda: (found := world.reports(store)).keys() == everything and late(found) == {0})
        earlier = world.reports(store)[here].told_at
        until(lambda: world.reports(store)[here].told_at > earlier)
        world.send([third])
        until(lambda: world.reports(store)[here].messages == 1 and world.reports(store)[here].seconds > 1)
        assert {each.messages for name, each in world.reports(store).items() if name != here} == {0}
    ended = world.reports(store)
    until(lambda: min(late(ended)) > SILENT_SECONDS)
    assert world.reports(store) == ended


def late(reports):
    """Return the current lag of the store by these samples, in seconds."""
    return {each.at(time.time()).seconds for each in reports.values()}
