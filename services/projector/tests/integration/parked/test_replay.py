"""Replaying over both stores: in order, once, in one step each, whatever a running projector does beside it."""

import threading
import uuid

import msgspec
import pytest
from pymongo import MongoClient

import projector.parked.replay
from cheeper_contracts import views
from projector.projections import projection_of
from projector.stores.base import Batch, Checkpoint, Item, StoreUnavailableError, UnappliableError
from projector.stores.mongo.parked import MongoParkedMessages
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.parked import RedisParkedMessages
from projector.stores.redis.scripts import RedisSettings

pytestmark = pytest.mark.proves(guarantee="poison")

ROUNDS = 150


def replay(parked_messages, key):
    """Replay a key with the projection of the messages' store."""
    return projector.parked.replay.replay(parked_messages, projection_of(parked_messages.name), key)


@pytest.fixture
def text_of(store, request):
    """Reads a cheep's text in the store, or None."""

    def of_redis(cheep_id):
        client, prefix = request.getfixturevalue("redis"), request.getfixturevalue("redis_prefix")
        found = client.get(views.CHEEP_RECORD.key(prefix, cheep_id))
        return found and msgspec.json.decode(found, type=views.CheepRecord).cheep_message

    def of_mongo(cheep_id):
        found = request.getfixturevalue("mongo")[views.CHEEPS.name].find_one({"_id": cheep_id})
        return found and found["message"]

    return of_redis if store.name == "redis" else of_mongo


class Parking:
    """A store that takes messages one by one, some of them as poison."""

    def __init__(self, store, helpers):
        self._store, self._helpers = store, helpers

    def take(self, published, *, poison=None):
        """Apply a message. Return the reason if it was parked, or None."""
        (item,) = self._helpers.items_of(self._store, [published.message])
        if poison:
            item = Item(message=item.message, poison=poison, stack_digest="0123456789abcdef")
        applied = self._helpers.apply(
            self._store, Batch(partition=published.partition, topic_id="topic", items=(item,))
        )
        return applied.parked[0].reason if applied.parked else None


@pytest.fixture
def parking(store, helpers):
    return Parking(store, helpers)


def test_a_key_is_replayed_in_its_order_and_flows_again(parking, parked_messages, story, author, text_of):
    """A parked message is applied as if it had never been parked, and the next one of its key is not parked.

    Fails without the SREM of unpark.lua.
    """
    bob, carol = author(), author()
    post = story.posted(bob, "0")
    parking.take(post, poison="broken")
    for text in ("1", "2"):
        assert parking.take(story.updated(post.event, text)) == "waits behind poison of its key"
    parking.take(story.posted(carol), poison="broken too")

    assert [one.message.sequence for one in replay(parked_messages, bob)] == [
        1,
        2,
        3,
    ]
    assert text_of(post.event.cheep_id) == "2"
    assert [message.key for message in parked_messages.all()] == [carol]
    assert parking.take(story.updated(post.event, "3")) is None
    assert text_of(post.event.cheep_id) == "3"
    assert list(replay(parked_messages, bob)) == []


def test_what_is_still_poison_stays_with_all_behind_it_and_says_why(parking, parked_messages, story, author):
    """No message of its key passes it, and its reason is the present one, also if it only waited before."""
    bob = author()
    good = story.posted(bob)
    edit = story.updated(good.event, "1")
    bad = story.add(edit.event, value=b"{")
    parking.take(good, poison="broken")
    for published in (edit, bad, story.updated(good.event, "2")):
        parking.take(published)
    *applied, last = replay(parked_messages, bob)
    assert [one.error for one in applied] == [None, None]
    assert "cheeper.cheep-updated.v1" in last.error
    left = list(parked_messages.all())
    assert [(one.sequence, one.behind) for one in left] == [(3, False), (4, True)]
    assert left[0].reason == last.error


def test_a_crash_keeps_the_digest_of_its_stack(parking, parked_messages, story, author):
    """A parked message shows where our own code failed."""
    parking.take(story.posted(author()), poison="ValueError: broken")
    (message,) = parked_messages.all()
    assert (message.reason, message.stack_digest) == ("ValueError: broken", "0123456789abcdef")


def test_a_write_that_the_store_refuses_unparks_nothing(store, parking, parked_messages, story, author, request):
    """Views and queue change in one step: what cannot be applied whole is not applied and still parked."""
    bob, reader = author(), author()
    published = story.followed(reader, bob)
    parking.take(published, poison="broken")
    if store.name == "redis":
        redis, prefix = request.getfixturevalue("redis"), request.getfixturevalue("redis_prefix")
        broken = views.FOLLOWERS.key(prefix, bob)
        redis.set(broken, "no sorted set")
        repair = lambda: redis.delete(broken)  # noqa: E731 - one of two
    else:
        authors = request.getfixturevalue("mongo")[views.AUTHORS.name]
        authors.insert_one({"_id": bob, "followers": "no number"})
        repair = lambda: authors.delete_one({"_id": bob})  # noqa: E731 - one of two
    (still,) = replay(parked_messages, bob)
    assert still.error
    assert store.status().parked == 1
    if store.name == "mongo":
        assert request.getfixturevalue("mongo")[views.FOLLOWS.name].count_documents({}) == 0
    repair()
    (applied,) = replay(parked_messages, bob)
    assert applied.error is None
    assert store.status().parked == 0


def test_only_the_first_of_a_key_is_replayed_and_only_once(parking, parked_messages, story, author, helpers):
    """Two people who replay at once apply each message once, and neither passes another.

    Fails where unpark.lua or MongoParkedMessages.replay does not compare with the first.
    """
    bob = author()
    post = story.posted(bob, "0")
    parking.take(post, poison="broken")
    parking.take(story.updated(post.event, "1"))
    first, second = parked_messages.all()
    (item,) = helpers.items_of(parked_messages, [post.message])
    assert parked_messages.replay(second, item.writes) is None
    assert parked_messages.replay(first, item.writes) == ()
    assert parked_messages.replay(first, item.writes) is None
    assert list(parked_messages.all()) == [second]


def test_a_dropped_message_is_removed_and_the_rest_waits(parking, parked_messages, story, author, text_of):
    """Only that message is removed; with the last one the key flows again."""
    bob = author()
    post = story.posted(bob, "0")
    parking.take(post, poison="broken")
    parking.take(story.updated(post.event, "1"))
    first, _ = parked_messages.all()
    assert parked_messages.drop(first)
    assert not parked_messages.drop(first)
    assert parking.take(story.updated(post.event, "2")) is not None
    assert text_of(post.event.cheep_id) is None
    for message in list(parked_messages.all()):
        assert parked_messages.drop(message)
    other = story.posted(bob, "other")
    assert parking.take(other) is None
    assert text_of(other.event.cheep_id) == "other"


def test_a_message_without_a_sequence_is_dropped_by_its_offset(store, parked_messages, helpers):
    """It cannot be replayed, so it is dropped, on whichever partition it was; and messages without a key flow again."""
    for partition in (1, 2):
        stray = helpers.FakeMessage(partition=partition, offset=0, key=b"", headers=[], value=b"?")
        helpers.apply_all(store, partition, [stray])
    (still,) = replay(parked_messages, "")
    assert "ce_specversion" in still.error
    places = [message.id for message in parked_messages.all()]
    assert places == ["1:topic@0", "2:topic@0"]
    for message in list(parked_messages.all()):
        assert parked_messages.drop(message)
    assert store.status().parked == 0
    later = Item(message=helpers.decode(helpers.FakeMessage(partition=1, offset=1, key=b"", headers=[], value=b"")))
    assert helpers.apply(store, Batch(partition=1, topic_id="topic", items=(later,))).parked == ()


def test_a_replay_or_a_drop_ends_a_row_of_poison(store, parking, parked_messages, story, author):
    """A consumer that stopped at too much poison in a row continues once some of it was replayed or dropped."""
    for _ in range(2):
        published = story.posted(author(), partition=0)
        parking.take(published, poison="broken")
    assert store.checkpoints([0])[0].poison == 2
    assert parked_messages.drop(next(parked_messages.all()))
    assert store.checkpoints([0])[0] == Checkpoint(sequence=2, topic_id="topic", offset=1, poison=0)


def test_nothing_overtakes_or_is_lost_while_the_projector_parks_more(parking, parked_messages, story, author, text_of):
    """A projector takes edits of one cheep, some as poison, while another thread replays without a pause: the text only
    ever moves forward, and the last one is there at the end.

    Fails where unpark.lua frees a key of which more is parked.
    """
    bob = author()
    post = story.posted(bob, "0", cheep_id=str(uuid.uuid4()))
    edits = [story.updated(post.event, str(n)) for n in range(1, ROUNDS + 1)]
    done, replayed = threading.Event(), []

    def keep_replaying():
        while not done.is_set():
            replayed.extend(one.message.sequence for one in replay(parked_messages, bob))

    thread = threading.Thread(target=keep_replaying)
    thread.start()
    waited, seen = 0, []
    try:
        parking.take(post)
        for n, edit in enumerate(edits):
            waited += _persistently(lambda e=edit, n=n: parking.take(e, poison=None if n % 5 else "broken")) is not None
            seen.append(int(text_of(post.event.cheep_id)))
    finally:
        done.set()
        thread.join(120)
    replayed += [one.message.sequence for one in replay(parked_messages, bob)]
    assert seen == sorted(seen)
    assert text_of(post.event.cheep_id) == str(ROUNDS)
    assert len(replayed) == waited >= ROUNDS / 5
    assert replayed == sorted(set(replayed))
    assert list(parked_messages.all()) == []


def _persistently(take):
    """A write conflict is retried, as the consumer does."""
    while True:
        try:
            return take()
        except StoreUnavailableError:
            continue


def test_a_broken_queue_is_reported_and_changes_nothing(redis_store, redis, redis_prefix, story, author, helpers):
    """A key of a wrong type in Redis's own bookkeeping is an error in words, not half a replay."""
    store = redis_store()
    published = story.posted(author())
    Parking(store, helpers).take(published, poison="broken")
    parked = RedisParkedMessages(redis, RedisSettings(prefix=redis_prefix, inline_max=1, slice_size=1))
    (message,) = parked.all()
    broken = views.PARKED_KEYS.key(redis_prefix, (published.partition + 1) % 8)
    redis.set(broken, "no set")
    with pytest.raises(UnappliableError, match="parked-keys"):
        parked.drop(message)
    redis.delete(broken)
    assert list(parked.all()) == [message]


def test_a_message_is_not_parked_behind_what_was_replayed_meanwhile(
    mongo, mongo_url, mongo_database, story, author, helpers, monkeypatch
):
    """A transaction that parks a message because of others, while these are replayed, is tried again: else the message
    would wait behind nothing. In Redis there is no meanwhile.

    Fails where MongoParkedMessages leaves the checkpoint alone.
    """
    store = MongoStore(mongo.client, mongo_database)
    store.prepare()
    bob = author()
    published = [story.posted(bob), story.posted(bob)]
    parking = Parking(store, helpers)
    parking.take(published[0], poison="broken")
    written = store._write

    def write_after_a_replay(*arguments):
        monkeypatch.undo()
        with MongoClient(mongo_url) as client:
            assert len(list(replay(MongoParkedMessages(client, mongo_database), bob))) == 1
        written(*arguments)

    monkeypatch.setattr(store, "_write", write_after_a_replay)
    with pytest.raises(StoreUnavailableError):
        parking.take(published[1])
    assert parking.take(published[1]) is None
    assert store.status().parked == 0
