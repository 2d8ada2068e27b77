"""Poison in a real log and a real store: each kind lands with all that is known of it, and outlives a wiped Kafka."""

import os
from contextlib import closing

import msgspec
import pytest

from cheeper_contracts import views
from cheeper_contracts.kafka.dead_letters import BEHIND, CRASHED, MALFORMED, DeadLetter, to_headers
from cheeper_contracts.kafka.topics import EVENTS
from cheeper_local.testing import until
from projector import bootstrap, projections
from projector.parked.replay import replay
from projector.projections import projection_of
from projector.settings import from_env

pytestmark = pytest.mark.proves(guarantee="poison")

ON_KAFKA = pytest.mark.skipif(
    os.environ.get("BROKER") == "tansu",
    reason="librdkafka crashes on what Tansu returns for a deleted topic; Tansu loses topics by a restart only",
)


@pytest.fixture
def defect(monkeypatch):
    """The events on which a projection crashes, until they are cleared."""
    met = []
    project = projections.project

    def crash(table, event, meta):
        if event in met:
            raise ZeroDivisionError("a defect")
        return project(table, event, meta)

    monkeypatch.setattr(projections, "project", crash)
    return met


@pytest.fixture
def parked(request, environ):
    """The parked messages of this run's store, read and replayed over a connection of their own."""
    name = request.node.callspec.params["running"]
    with closing(bootstrap.backend(from_env(environ), name).parked_messages()) as messages:
        yield messages


@pytest.fixture
def refused(request, redis, redis_prefix, mongo):
    """Makes an author whose views in the store of this run cannot be written."""
    name = request.node.callspec.params["running"]

    def make(author):
        if name == "redis":
            redis.set(views.AUTHOR_COUNTERS.key(redis_prefix, author), "no hash")
        else:
            mongo[views.AUTHORS.name].insert_one({"_id": author, "followers": "no number"})
        return author

    return make


WHY = {"undecodable": "cheeper.author-followed.v1", "crash": "ZeroDivisionError: a defect", "refused": ""}


@pytest.mark.variants("kind")
@pytest.mark.parametrize("kind", WHY)
def test_each_kind_is_parked_with_all_that_is_known_of_it(
    running, kafka, story, author, followers, parked, defect, refused, kind
):
    """Error, stack digest, source topic, partition and offset are in the store and on the copy; the next one of its
    key waits behind it, and another key flows.

    Fails where parking.parked, decoding or projecting leaves one of these out.
    """
    bob, carol = author(), author()
    story.followed(author(), carol, partition=3)
    bad = story.followed(author(), refused(bob) if kind == "refused" else bob, partition=3)
    if kind == "undecodable":
        story.messages[3].pop()
        bad = story.add(bad.event, partition=3, value=b"{broken")
    defect += [bad.event] if kind == "crash" else []
    behind = story.followed(author(), bob, partition=3)
    story.followed(author(), carol, partition=3)
    kafka.send(story.all_messages())
    with running() as consumer:
        until(lambda: consumer.sequences() == {3: 4})
        assert followers(carol) == 2
        (topic_id,) = consumer.topics()
    poison, waits = parked.all()
    assert (poison.behind, waits.behind) == (False, True)
    assert WHY[kind] in poison.reason
    assert poison.reason
    assert (len(poison.stack_digest), waits.stack_digest) == (16, None)
    assert [(one.message_id, one.key) for one in (poison, waits)] == [
        (one.envelope.message_id, bob) for one in (bad, behind)
    ]
    places = [(one.source_topic, one.topic_id, one.partition, one.offset, one.sequence) for one in (poison, waits)]
    assert places == [(kafka.topic, topic_id, 3, 1, 2), (kafka.topic, topic_id, 3, 2, 3)]
    copies = until(lambda: len(found := kafka.dead_letters()) >= 2 and found)
    expected = DeadLetter(
        store=parked.name,
        reason=MALFORMED if kind == "undecodable" else CRASHED,
        error=poison.reason,
        stack_digest=poison.stack_digest,
        topic=kafka.topic,
        partition=3,
        offset=1,
    )
    waiting = msgspec.structs.replace(expected, reason=BEHIND, error="", stack_digest="", offset=2)
    for copy, letter in zip(copies, (expected, waiting), strict=True):
        assert dict(to_headers(letter)).items() <= dict(copy.headers()).items()
    assert copies[0].value() == bad.message.value()


@ON_KAFKA
@pytest.mark.parametrize(
    ("last", "restarted"), [("parked", False), ("applied", False), ("parked", True)], ids=["parked", "applied", "again"]
)
@pytest.mark.extended
def test_what_is_parked_outlives_a_wiped_kafka(
    running, kafka, story, author, followers, parked, defect, last, restarted
):
    """The log is made anew and has the same sequences at other offsets: what is parked stays, once and where it first
    stood, more of its key comes behind it, others flow, nothing is doubled, and a replay applies all of it in order.

    Fails where a store takes a message for new because its topic is (`is_new` of apply.lua, `_fresh` of the MongoDB
    store), or does not look for parked keys of before.
    """
    bob, carol = author(), author()
    story.followed(author(), bob, partition=0)
    defect.append(story.followed(author(), bob, partition=0).event)
    story.followed(author(), carol, partition=0)
    story.followed(author(), bob, partition=0)
    story.followed(author(), carol if last == "applied" else bob, partition=0)
    log = story.messages[0]
    kafka.send([*log[:1], *log])  # the relay sent one of them twice
    more = (carol, bob, carol)

    def refill():
        kafka.wipe()
        kafka.make([EVENTS])
        for one in more:
            story.followed(author(), one, partition=0)
        kafka.send(log)

    with running() as consumer:
        until(lambda: consumer.sequences() == {0: 5})
        before, (old,) = list(parked.all()), consumer.topics()
        if not restarted:
            refill()
            until(lambda: consumer.sequences() == {0: len(log)} and consumer.topics() != {old})
    if restarted:
        refill()
    with running() as consumer:
        until(lambda: consumer.sequences() == {0: len(log)})
        until(lambda: consumer.reasons() == [])
        assert consumer.topics() != {old}
        *same, added = parked.all()
        assert same == before
        assert [one.sequence for one in before] == ([2, 4, 5] if last == "parked" else [2, 4])
        assert [one.offset for one in before] == [one.sequence for one in before]
        assert (added.sequence, added.offset, added.behind) == (7, 6, True)
        assert followers(bob) == 1
        defect.clear()
        assert [(done.message, done.error) for done in replay(parked, projection_of(parked.name), bob)] == [
            (one, None) for one in (*same, added)
        ]
        kafka.send([story.followed(author(), bob, partition=0).message])
        until(lambda: consumer.sequences() == {0: len(log)})
        of_carol = 3 if last == "parked" else 4
        until(lambda: (followers(bob), followers(carol)) == (len(log) - of_carol, of_carol))
    copies = until(lambda: len(found := kafka.dead_letters()) > len(before) and found)
    assert len(copies) == len(before) + 1
    assert list(parked.all()) == []


def test_messages_without_headers_are_parked_by_their_offset(running, kafka, helpers, parked):
    """A message without a readable header is poison of no key; it has its topic, partition and offset all the same."""
    kafka.send([helpers.FakeMessage(partition=2, offset=0, key=b"", headers=[], value=b"?")] * 2)
    with running() as consumer:
        until(lambda: consumer.store.status().parked == 2)
    assert [(one.source_topic, one.partition, one.offset) for one in parked.all()] == [
        (kafka.topic, 2, offset) for offset in (0, 1)
    ]
