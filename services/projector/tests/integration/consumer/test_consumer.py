"""The consumer on a real log: whatever happens to it, to Kafka or to a store, the views come out the same."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from pymongo import MongoClient

from cheeper_contracts import views
from cheeper_contracts.kafka.topics import EVENTS
from cheeper_local.testing import until
from cheeper_runtime.dead_letters.poison_limit import TooMuchPoisonError
from cheeper_runtime.readiness.needs import Readiness
from projector import bootstrap
from projector.parked.replay import replay
from projector.projections import projection_of
from projector.settings import from_env

pytestmark = pytest.mark.proves(guarantee="exactly-once")

ON_KAFKA = pytest.mark.skipif(
    os.environ.get("BROKER") == "tansu",
    reason="librdkafka crashes on what Tansu returns for a deleted topic; Tansu loses topics by a restart only",
)


def crowd(story, author, number=30):
    """Some authors with a follower each, over the partitions."""
    everyone = [author() for _ in range(number)]
    for one, other in zip(everyone, everyone[1:] + everyone[:1], strict=True):
        story.signed(one)
        story.followed(other, one)
        story.posted(one)
    return everyone


def test_the_log_is_applied_and_goes_on(running, kafka, story, author, followers):
    """The messages of the log are applied, then new ones; the process is ready once it has caught up."""
    everyone = crowd(story, author)
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == story.whole())
        until(lambda: consumer.reasons() == [])
        extra = story.followed(author(), everyone[0])
        kafka.send([extra.message])
        until(lambda: followers(everyone[0]) == 2)


def test_a_consumer_starts_where_the_stores_checkpoint_says(running, kafka, story, author, followers):
    """Stopped and started again, it applies each message once; so it does when it died before its commit."""
    everyone = crowd(story, author)
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == story.whole())
    kafka.send([story.followed(author(), one).message for one in everyone])
    with running(TOPIC_PREFIX=kafka.prefix) as consumer:
        until(lambda: consumer.sequences() == story.whole())
    assert [followers(one) for one in everyone] == [2] * len(everyone)


def test_poison_parks_its_key_and_other_keys_flow(running, kafka, story, author, followers):
    """An unreadable message holds up its author alone; it is in the store, and a copy is with the dead letters."""
    bob, carol = author(), author()
    story.followed(author(), bob, partition=0)
    broken = story.add(story.followed(author(), bob, partition=1).event, partition=0, value=b"{broken")
    story.messages.pop(1)
    story.followed(author(), bob, partition=0)
    story.followed(author(), carol, partition=0)
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == {0: 4})
        assert (followers(bob), followers(carol)) == (1, 1)
        assert consumer.store.status().parked == 2
        assert consumer.failure is None
    letters = kafka.dead_letters()
    assert letters[0].value() == b"{broken"
    assert dict(letters[0].headers())["ce_id"] == broken.envelope.message_id.encode()
    assert dict(letters[0].headers())["dead_letter_store"] == consumer.store.name.encode()


@pytest.mark.proves(guarantee="poison")
def test_parked_keys_outlive_a_rebalance_and_flow_after_a_replay(running, environ, kafka, story, author, followers):
    """Whoever gets the partition parks behind what another one parked, and goes on once somebody has replayed it."""
    bob = author()
    one = story.followed(author(), bob, partition=0)
    story.add(one.event, partition=0, value=b"{broken")
    story.followed(author(), bob, partition=0)
    kafka.send(story.all_messages())
    with running() as first:
        until(lambda: first.sequences() == {0: 3})
        with running() as second:
            first.end()
            kafka.send([story.followed(author(), bob, partition=0).message])
            until(lambda: second.sequences() == {0: 4})
            parked = bootstrap.backend(from_env(environ), second.store.name).parked_messages()
            (broken, *waiting) = parked.all()
            assert [message.sequence for message in (broken, *waiting)] == [2, 3, 4]
            assert parked.drop(broken)
            assert [done.error for done in replay(parked, projection_of(parked.name), bob)] == [None, None]
            kafka.send([story.followed(author(), bob, partition=0).message])
            until(lambda: followers(bob) == 4)
            parked.close()


@pytest.mark.proves(guarantee="poison")
def test_too_much_poison_stops_the_consumer(running, kafka, story, author):
    """A bad deployment does not empty the log into the queue of failures, not even by being started again."""
    for _ in range(30):
        story.add(story.signed(author(), partition=1).event, partition=0, value=b"{broken")
    story.messages.pop(1)
    kafka.send(story.all_messages())
    for _ in range(2):
        with running() as consumer:
            until(lambda consumer=consumer: consumer.failure is not None)
            assert isinstance(consumer.failure, TooMuchPoisonError)
            # Readiness shows the text; the error may quote the message, so it is for the log only.
            text = f"20 messages in a row cannot be applied to {consumer.store.name} (partition 0)"
            assert str(consumer.failure) == text
            assert consumer.failure.last_error
            assert consumer.store.status().parked == 19


@ON_KAFKA
@pytest.mark.parametrize("refilled_with", ["as much", "more"])
def test_a_wiped_and_refilled_kafka_is_noticed_while_running(running, kafka, story, author, followers, refilled_with):
    """The topic is created again and filled from the start: known messages are skipped and give each checkpoint its new
    offset, and new ones are applied.
    """
    everyone = crowd(story, author, 10)
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == story.whole())
        before = consumer.topics()
        kafka.wipe()
        kafka.make([EVENTS])
        if refilled_with == "more":
            for one in everyone:
                story.followed(author(), one)
        kafka.send(story.all_messages())
        until(lambda: consumer.sequences() == story.whole())
        until(lambda: consumer.topics().isdisjoint(before))
        last = story.followed(author(), everyone[0])
        kafka.send([last.message])
        until(lambda: consumer.sequences() == story.whole())
        until(lambda: consumer.reasons() == [])
    expected = 2 if refilled_with == "more" else 1
    assert [followers(one) for one in everyone] == [expected + 1] + [expected] * (len(everyone) - 1)


@pytest.mark.extended
def test_a_broker_that_comes_back_empty_is_noticed_while_running(
    running, kafka_at, own_kafka, story, author, followers
):
    """The broker lost everything and the log is sent again: no restart, nothing lost, nothing doubled."""
    kafka = kafka_at(own_kafka.url, "wiped.")
    kafka.make()
    everyone = crowd(story, author, 10)
    kafka.send(story.all_messages())
    with running(KAFKA_BOOTSTRAP_SERVERS=kafka.servers, TOPIC_PREFIX=kafka.prefix) as consumer:
        until(lambda: consumer.sequences() == story.whole())
        own_kafka.wipe()
        until(lambda: any("kafka" in need for need, state in consumer.readiness.needs().items() if not state.ok))
        own_kafka.start()
        kafka.make()
        story.followed(author(), everyone[0])
        kafka.send(story.all_messages())
        until(lambda: consumer.sequences() == story.whole())
        until(lambda: consumer.reasons() == [])
    assert [followers(one) for one in everyone] == [2] + [1] * (len(everyone) - 1)


@ON_KAFKA
def test_a_wiped_kafka_is_noticed_at_the_start(running, kafka, story, author, followers):
    """Offsets of the old topic mean nothing in the new one."""
    everyone = crowd(story, author, 10)
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == story.whole())
    kafka.wipe()
    kafka.make([EVENTS])
    story.followed(author(), everyone[0])
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == story.whole())
        assert followers(everyone[0]) == 2


def test_an_older_store_catches_up_by_itself(running, kafka, story, author, followers, redis, redis_prefix, mongo):
    """A store that lost its views, or got old ones back, while nothing else happens, is filled from the log."""
    everyone = crowd(story, author, 10)
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == story.whole())
        if consumer.store.name == "redis":
            redis.delete(*redis.scan_iter(f"{redis_prefix}*"))
        else:
            mongo.client.drop_database(mongo.name)
        until(lambda: consumer.sequences() == story.whole())
        assert [followers(one) for one in everyone] == [1] * len(everyone)


def test_two_consumers_share_the_partitions(running, kafka, story, author, followers):
    """A second one joins, the first one leaves, and each message is applied once."""
    everyone = crowd(story, author)
    with running() as first:
        kafka.send(story.all_messages())
        with running() as second:
            kafka.send([story.followed(author(), one).message for one in everyone])
            until(lambda: second.sequences() == story.whole())
            first.end()
            kafka.send([story.followed(author(), one).message for one in everyone])
            until(lambda: second.sequences() == story.whole())
    assert [followers(one) for one in everyone] == [3] * len(everyone)


@ON_KAFKA
def test_a_topic_that_is_not_there_yet_is_waited_for(running, kafka, story, author):
    """Start order does not matter, and readiness says what is missing."""
    kafka.wipe()
    story.signed(author())
    with running() as consumer:
        until(lambda: any("write-api migrate" in why for why in consumer.reasons()))
        kafka.make([EVENTS])
        kafka.send(story.all_messages())
        until(lambda: consumer.sequences() == story.whole())


def test_a_killed_projector_loses_and_doubles_nothing(environ, kafka, story, author, redis, redis_prefix, own_mongo):
    """A kill -9 in the middle of the log, several times: both stores end with the same true counts.

    MongoDB keeps a dead client's transaction, and its locks, for transactionLifetimeLimitSeconds.
    """
    environ = {**environ, "MONGO_URL": own_mongo.url}
    mongo = MongoClient(own_mongo.url)
    mongo.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 3})
    authors = mongo[environ["MONGO_DATABASE"]][views.AUTHORS.name]
    everyone = crowd(story, author, 40)
    for _ in range(40):
        for one in everyone:
            story.followed(author(), one)
    kafka.send(story.all_messages())
    process_environ = {**os.environ, **environ}
    stores = [bootstrap.backend(from_env(environ), name).store() for name in bootstrap.STORES]

    def done():
        return [sum(c.sequence for c in store.checkpoints(range(8)).values()) for store in stores]

    wanted = sum(story.whole().values())
    for share in (0.2, 0.5):
        process = subprocess.Popen(
            [sys.executable, "-m", "projector", "run"], env=process_environ, stdout=subprocess.DEVNULL
        )
        until(lambda share=share: max(done()) > wanted * share)
        process.kill()
        process.wait()
    process = subprocess.Popen(
        [sys.executable, "-m", "projector", "run"], env=process_environ, stdout=subprocess.DEVNULL
    )
    until(lambda: done() == [wanted, wanted])
    for store in stores:
        store.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 0
    for one in everyone:
        assert int(redis.hget(views.AUTHOR_COUNTERS.key(redis_prefix, one), "followers")) == 41
        assert authors.find_one({"_id": one})["followers"] == 41
    mongo.close()


@pytest.mark.parametrize("name", ["redis", "mongo"])
def test_an_unavailable_store_delays_no_other(environ, kafka, story, author, own_redis, own_mongo, name):
    """An unavailable store does not stop the other one; once it is back, it catches up without a restart."""
    settings = from_env({**environ, "REDIS_URL": own_redis.url, "MONGO_URL": own_mongo.url})
    server = own_redis if name == "redis" else own_mongo
    readiness, stop = Readiness(), threading.Event()
    consumers = [bootstrap.consumer(settings, each, 1, readiness=readiness, stop=stop) for each in bootstrap.STORES]
    threads = [threading.Thread(target=consumer.run) for consumer in consumers]
    watched = {name: bootstrap.backend(settings, name).store() for name in bootstrap.STORES}

    def sequences(of):
        return {p: c.sequence for p, c in watched[of].checkpoints(range(8)).items() if c.sequence}

    for thread in threads:
        thread.start()
    try:
        crowd(story, author, 5)
        kafka.send(story.all_messages())
        until(lambda: sequences("redis") == sequences("mongo") == story.whole())
        server.stop()
        before = {partition: len(log) for partition, log in story.messages.items()}
        crowd(story, author, 5)
        kafka.send([m for partition, log in story.messages.items() for m in log[before.get(partition, 0) :]])
        other = "mongo" if name == "redis" else "redis"
        until(lambda: sequences(other) == story.whole())
        until(lambda: not readiness.needs()[name].ok)
        assert readiness.needs()[other].ok
        server.start()
        until(lambda: readiness.needs()[name].ok)
        until(lambda: sequences(name) == story.whole())
    finally:
        stop.set()
        for thread in threads:
            thread.join(120)
        for store in watched.values():
            store.close()
