"""The projector's reports to the streams of timelines, and their cost while nobody listens."""

import msgspec
import pytest
import redis as redis_client

from cheeper_contracts import views
from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.events.notifications_read import NotificationsRead
from cheeper_contracts.views.generations import prefix_of, registry_key
from cheeper_contracts.views.streams import (
    CHEEP,
    FOLLOWED,
    NOTIFICATIONS,
    OWN,
    RECORD,
    UNFOLLOWED,
    all_streams,
    stream_of,
)
from projector.stores.redis.scripts import RedisSettings
from projector.stores.redis.store import RedisStore

pytestmark = pytest.mark.proves(guarantee="streams")

BOB, ANN, EVE = (f"{name}0000000-0000-4000-8000-000000000000" for name in "bae")
READERS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(50)]
PARTITION = 0


class StreamScene:
    """A log that is applied as it grows, and a subscriber who may listen."""

    def __init__(self, store, helpers):
        self.store, self._helpers, self.story, self._applied = store, helpers, helpers.Story(), 0

    def apply(self):
        messages = self.story.messages[PARTITION]
        self._helpers.apply_all(self.store, PARTITION, messages[self._applied :])
        self._applied = len(messages)
        while self.store.tasks.serve(PARTITION) is not None:
            pass

    def posted(self, author, **fields):
        event = self.story.posted(author, partition=PARTITION, **fields).event
        self.apply()
        return event


@pytest.fixture(params=[1_000, 0], ids=["inline", "by tasks"])
def scene(redis_store, helpers, request):
    """Bob has followers, who follow him; his cheeps reach them in the same call, or by tasks."""
    scene = StreamScene(redis_store(inline_max=request.param, slice_size=20), helpers)
    for reader in READERS:
        scene.story.followed(reader, BOB, partition=PARTITION)
    scene.apply()
    return scene


class Listener:
    """A process with streams of some readers' timelines."""

    def __init__(self, redis, prefix, readers):
        self._pubsub = redis.pubsub(ignore_subscribe_messages=True)
        self._names = {stream_of(prefix, reader).encode(): reader for reader in readers}
        self._pubsub.subscribe(all_streams(prefix), *(stream_of(prefix, reader) for reader in readers))
        for _ in range(len(readers) + 1):
            self._pubsub.get_message(timeout=5)

    def heard(self, number):
        """Return the next messages: the reader, None for all, with the message; and no more may come."""
        found = []
        while len(found) < number:
            message = self._pubsub.get_message(timeout=5)
            assert message is not None, found
            found.append((self._names.get(message["channel"]), message["data"]))
        assert self._pubsub.get_message() is None
        return found

    def close(self):
        self._pubsub.close()


@pytest.fixture
def listening(redis, redis_prefix):
    """Listens to some readers' streams."""
    made = []

    def listen(*readers):
        made.append(Listener(redis, redis_prefix, readers))
        return made[-1]

    yield listen
    for each in made:
        each.close()


def entry_of(cheep):
    return views.pack_entry(cheep.cheep_date, cheep.cheep_id)


def test_a_cheep_is_reported_to_the_readers_with_a_listener(scene, listening, redis, redis_prefix):
    """With its record, once, in the call that puts it into the timeline; no other reader's channel gets anything."""
    listener = listening(READERS[0], READERS[-1])
    cheep = scene.posted(BOB)
    record = redis.get(views.CHEEP_RECORD.key(redis_prefix, cheep.cheep_id))
    wanted = CHEEP + entry_of(cheep) + record
    assert sorted(listener.heard(2)) == sorted([(READERS[0], wanted), (READERS[-1], wanted)])


def test_a_cheep_is_reported_to_its_author(scene, listening, redis, redis_prefix):
    """As its own one, with its record; its edits and deletion concern all."""
    listener = listening(BOB)
    cheep = scene.posted(BOB)
    record = redis.get(views.CHEEP_RECORD.key(redis_prefix, cheep.cheep_id))
    assert listener.heard(1) == [(BOB, OWN + entry_of(cheep) + record)]
    scene.posted(ANN)
    scene.story.deleted(cheep, partition=PARTITION)
    scene.apply()
    assert listener.heard(1) == [(None, RECORD + entry_of(cheep))]


def test_changes_are_reported_in_their_order(scene, listening, redis, redis_prefix):
    """An edit, a deletion, an unfollow and a follow."""
    listener = listening(READERS[3])
    cheep = scene.posted(BOB)
    scene.story.updated(cheep, "other", partition=PARTITION)
    scene.apply()
    edited = redis.get(views.CHEEP_RECORD.key(redis_prefix, cheep.cheep_id))
    scene.story.deleted(cheep, partition=PARTITION)
    scene.story.unfollowed(READERS[3], BOB, partition=PARTITION)
    scene.story.followed(READERS[3], BOB, partition=PARTITION)
    scene.apply()
    heard = listener.heard(5)
    entry = entry_of(cheep)
    assert heard[0][1].startswith(CHEEP + entry)
    assert heard[1:] == [
        (None, RECORD + entry + edited),
        (None, RECORD + entry),
        (READERS[3], UNFOLLOWED + BOB.encode()),
        (READERS[3], FOLLOWED + BOB.encode()),
    ]
    assert b'"other"' in edited


def test_who_mutes_an_author_gets_nothing_of_it(scene, listening):
    """A mute is reported like an unfollow and its end like a follow, each with a change of notifications."""
    muting, other = READERS[0], READERS[-1]
    listener = listening(muting, other)
    scene.story.muted(muting, BOB, partition=PARTITION)
    scene.apply()
    assert listener.heard(2) == [(muting, UNFOLLOWED + BOB.encode()), (muting, NOTIFICATIONS)]
    scene.posted(BOB)
    [(reader, data)] = listener.heard(1)
    assert (reader, data[:1]) == (other, CHEEP)
    scene.story.unmuted(muting, BOB, partition=PARTITION)
    scene.apply()
    assert listener.heard(2) == [(muting, FOLLOWED + BOB.encode()), (muting, NOTIFICATIONS)]


def test_a_change_of_notifications_is_reported_to_their_author(scene, listening):
    """A notification, the mark of what was read, and a block, which concerns both authors."""
    listener = listening(ANN, EVE)
    about = {"author_id": ANN, "notification_id": "n", "notified_at": 1}
    for event in (
        AuthorNotified(**about, kind="welcome"),
        NotificationsRead(**about, read_at=2),
        AuthorBlocked(author_id=ANN, blocked_id=EVE, blocked_at=3, follow_id=None),
    ):
        scene.story.add(event, partition=PARTITION)
    scene.apply()
    assert listener.heard(4) == [(reader, NOTIFICATIONS) for reader in (ANN, ANN, ANN, EVE)]


def test_what_is_applied_before_is_not_reported_again(scene, listening):
    """A redelivered event changes nothing, and is not reported."""
    listener = listening(READERS[0])
    scene.posted(BOB)
    listener.heard(1)
    scene._applied = 0
    scene.apply()
    assert listener.heard(0) == []


def calls(client):
    """Return the number of calls of each command so far."""
    return {name: stats["calls"] for name, stats in client.info("commandstats").items()}


def test_a_timeline_without_a_listener_costs_nothing(servers, helpers):
    """While nobody listens, a post with its fan-out is one command more; while somebody does, so is each slice."""
    with redis_client.Redis.from_url(servers.own("redis").url) as client:
        store = RedisStore(client, RedisSettings(prefix="", inline_max=1_000, slice_size=1_000))
        scene = StreamScene(store, helpers)
        for reader in READERS:
            scene.story.followed(reader, BOB, partition=PARTITION)
        scene.posted(BOB)
        client.config_resetstat()
        scene.posted(BOB)
        alone = calls(client)
        listener = Listener(client, "", [ANN])
        client.config_resetstat()
        scene.posted(BOB)
        beside = calls(client)
        listener.close()
    assert alone.get("cmdstat_publish") is beside.get("cmdstat_publish") is None
    assert alone["cmdstat_pubsub|numsub"] == 1
    assert beside["cmdstat_pubsub|numsub"] == 3
    assert alone["cmdstat_lpush"] == beside["cmdstat_lpush"] == len(READERS)


def test_a_generation_that_is_not_live_reports_nothing(redis, redis_prefix, redis_store, listening, helpers):
    """Readers see the live one alone, so its changes alone are events."""
    redis.hset(
        registry_key(redis_prefix),
        mapping={"generation:1": '{"state":"active"}', "generation:2": '{"state":"building"}'},
    )
    scene = StreamScene(redis_store(), helpers)
    other = StreamScene(
        RedisStore(
            redis,
            RedisSettings(
                prefix=prefix_of(redis_prefix, 2), inline_max=10, slice_size=10, generation=2, installation=redis_prefix
            ),
        ),
        helpers,
    )
    listener = listening(READERS[0])
    for each in (scene, other):
        each.story.followed(READERS[0], BOB, partition=PARTITION)
    other.posted(BOB)
    assert listener.heard(0) == []
    scene.posted(BOB)
    assert [data[:1] for _, data in listener.heard(2)] == [FOLLOWED, CHEEP]
    redis.hset(registry_key(redis_prefix), "live", 2)
    scene.posted(BOB)
    assert listener.heard(0) == []
    cheep = other.posted(BOB)
    ((reader, data),) = listener.heard(1)
    assert (reader, data[1:25]) == (READERS[0], entry_of(cheep))
    assert msgspec.json.decode(data[25:])["cheep_id"] == cheep.cheep_id
