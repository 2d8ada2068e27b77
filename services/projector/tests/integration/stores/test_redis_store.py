"""Redis alone: timelines and their floors, fan-out inline and by tasks, and calls that check before they write."""

import json

import msgspec
import pytest
import redis as redis_client

from cheeper_contracts import views
from cheeper_runtime.traces.testing import RecordedTracer
from projector.stores.base import Batch, StoreUnavailableError, UnappliableError
from projector.stores.redis.scripts import RedisSettings
from projector.stores.redis.store import RedisStore
from projector.stores.task_store import LeftOut, SliceOf

pytestmark = pytest.mark.store


@pytest.fixture
def timeline(redis, redis_prefix):
    """The cheep ids of a reader's list, newest first."""

    def read(reader):
        return [views.unpack_entry(entry)[1] for entry in redis.lrange(views.TIMELINE.key(redis_prefix, reader), 0, -1)]

    return read


@pytest.fixture
def floor(redis, redis_prefix):
    """The cheep id of a reader's floor."""

    def read(reader):
        entry = redis.get(views.TIMELINE_FLOOR.key(redis_prefix, reader))
        return entry and views.unpack_entry(entry)[1]

    return read


@pytest.fixture
def play(helpers, story):
    """Apply all of the story that is not yet in the store."""
    done = {}

    def play(store):
        for partition, messages in story.messages.items():
            helpers.apply_all(store, partition, messages[done.get(partition, 0) :])
            done[partition] = len(messages)

    return play


def serve_all(store):
    served = []
    for partition in range(8):
        while (one := store.tasks.serve(partition)) is not None:
            served.append(one)
    return served


def test_a_cheep_record_is_stored_for_the_page(redis_store, redis, redis_prefix, story, author, play):
    """The JSON of the response is stored under the cheep's id."""
    published = story.posted(author(), "hello")
    play(redis_store())
    record = redis.get(views.CHEEP_RECORD.key(redis_prefix, published.event.cheep_id))
    assert msgspec.json.decode(record, type=views.CheepRecord).cheep_message == "hello"
    assert json.loads(record)["in_reply_to"] is None


def test_a_task_keeps_the_cause_of_its_event(redis_store, story, author, play):
    """Each slice of a traced cheep's task has its traceparent, and those of other cheeps have none."""
    bob, cause = author(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    store = redis_store(inline_max=0, slice_size=1, tracer=RecordedTracer(history_seconds=None))
    for _ in range(2):
        story.followed(author(), bob)
    added = [story.posted(bob, traceparent=each) for each in (cause, cause[:-2] + "00", None)]
    play(store)
    served = []
    while (one := store.tasks.serve(added[0].partition)) is not None:
        served += one.tasks
    causes = {task.sequence: task.traceparent for task in served}
    assert causes == dict(zip([one.envelope.sequence for one in added], (cause, None, None), strict=True))
    assert len(served) > len(added)


@pytest.mark.parametrize("inline_max", [0, 1, 2, 1000])
def test_a_cheep_reaches_every_follower(redis_store, story, author, play, timeline, inline_max):
    """At once or by tasks, the timelines are the same."""
    alice, charlie, bob, stranger = (author() for _ in range(4))
    store = redis_store(inline_max=inline_max)
    story.followed(alice, bob)
    story.followed(charlie, bob)
    play(store)
    cheep = story.posted(bob).event.cheep_id
    play(store)
    serve_all(store)
    assert timeline(alice) == timeline(charlie) == [cheep]
    assert timeline(bob) == timeline(stranger) == []


def test_the_demos_cheep_takes_two_slices_of_one_follower(redis_store, story, author, play, timeline):
    """With FANOUT_INLINE_MAX=0 and FANOUT_SLICE=1 timelines stay empty until two slices have run."""
    alice, charlie, bob = author(), author(), author()
    store = redis_store(inline_max=0, slice_size=1)
    story.followed(alice, bob)
    story.followed(charlie, bob)
    published = story.posted(bob)
    play(store)
    assert timeline(alice) == timeline(charlie) == []
    for waiting in (2, 1):
        assert store.status().tasks == waiting
        served = store.tasks.serve(published.partition)
        assert (served.author_id, served.served) == (bob, 1)
        assert served.tasks == (
            SliceOf(sequence=published.envelope.sequence, correlation_id=published.envelope.correlation_id),
        )
    assert store.status().tasks == 0
    assert store.tasks.serve(published.partition) is None
    assert timeline(alice) == timeline(charlie) == [published.event.cheep_id]


def test_a_cheep_without_followers_leaves_no_task(redis_store, story, author, play):
    """A cheep without receivers needs no slice."""
    store = redis_store(inline_max=0)
    story.posted(author())
    play(store)
    assert store.status().tasks == 0


def test_authors_with_tasks_take_turns(redis_store, story, author, play):
    """An author with many followers does not keep the others of the partition waiting."""
    bob, carol = author(), author()
    store = redis_store(inline_max=0, slice_size=1)
    for who in (bob, bob, bob, carol):
        story.followed(author(), who, partition=0)
    story.posted(bob, partition=0)
    story.posted(carol, partition=0)
    play(store)
    assert [one.author_id for one in serve_all(store)] == [bob, carol, bob, bob]


def test_a_slice_leaves_out_a_deleted_cheep(redis_store, redis, redis_prefix, story, author, play, timeline):
    """A task works from the current state: a cheep that was deleted meanwhile reaches no timeline."""
    alice, bob = author(), author()
    store = redis_store(inline_max=0)
    story.followed(alice, bob)
    published = story.posted(bob)
    play(store)
    redis.delete(views.CHEEP_RECORD.key(redis_prefix, published.event.cheep_id))
    assert [one.served for one in serve_all(store)] == [0]
    assert timeline(alice) == []


def test_an_authors_waiting_cheeps_go_out_together(redis_store, story, author, play, timeline):
    """A slice puts in as many entries as a single cheep's, of several cheeps, to fewer followers."""
    bob, readers = author(), sorted(author() for _ in range(3))
    store = redis_store(inline_max=0, slice_size=4)
    for reader in readers:
        story.followed(reader, bob)
    published = [story.posted(bob) for _ in range(2)]
    play(store)
    tasks = tuple(SliceOf(sequence=t.envelope.sequence, correlation_id=t.envelope.correlation_id) for t in published)
    assert [(one.tasks, one.served) for one in serve_all(store)] == [(tasks, 2), (tasks, 1)]
    assert [timeline(reader) for reader in readers] == [[t.event.cheep_id for t in reversed(published)]] * 3


def test_only_live_cheeps_at_the_same_follower_go_together(
    redis_store, redis, redis_prefix, story, author, play, timeline
):
    """One that came later waits for those under way, and a deleted one separates those before it from those behind."""
    bob, readers = author(), sorted(author() for _ in range(4))
    store = redis_store(inline_max=0, slice_size=2)
    for reader in readers:
        story.followed(reader, bob)
    first = story.posted(bob)
    play(store)
    assert store.tasks.serve(first.partition).served == 2
    deleted, *others = [story.posted(bob) for _ in range(3)]
    play(store)
    redis.delete(views.CHEEP_RECORD.key(redis_prefix, deleted.event.cheep_id))
    published = [([first], 2), ([deleted], 0), *[(others, 1)] * 4]
    wanted = [([one.envelope.sequence for one in some], served) for some, served in published]
    assert [([one.sequence for one in each.tasks], each.served) for each in serve_all(store)] == wanted
    cheeps = [one.event.cheep_id for one in (*reversed(others), first)]
    assert [timeline(reader) for reader in readers] == [cheeps] * 4


def test_a_follow_brings_the_cheeps_in(redis_store, story, author, play, timeline, floor):
    """The followed author's cheeps that fit are added to the others; what does not fit raises the floor."""
    alice, bob, carol = author(), author(), author()
    store = redis_store(cap=5)
    story.followed(alice, bob)
    play(store)
    cheeps = []
    for who in (carol, bob, carol, bob, carol, carol, bob):
        cheeps.append(story.posted(who).event.cheep_id)
        play(store)
    story.followed(alice, carol)
    play(store)
    newest_first = cheeps[::-1]
    assert timeline(alice) == newest_first[:5]
    assert floor(alice) == newest_first[5]


def test_a_first_follow_of_a_busy_author_keeps_the_promise_of_the_floor(
    redis_store, story, author, play, timeline, floor
):
    """As many as fit are added, and the next one is the floor: the list is complete above it."""
    alice, bob = author(), author()
    store = redis_store(cap=5)
    cheeps = [story.posted(bob).event.cheep_id for _ in range(9)][::-1]
    story.followed(alice, bob)
    play(store)
    assert (timeline(alice), floor(alice)) == (cheeps[:5], cheeps[5])


def test_many_cheeps_are_merged_into_a_full_timeline(redis_store, story, author, play, timeline, floor):
    """More than are put in one by one are merged in one pass, with the same outcome."""
    alice, bob, carol = author(), author(), author()
    store = redis_store(cap=200)
    story.followed(alice, bob)
    play(store)
    cheeps = []
    for place in range(300):
        cheeps.append(story.posted(carol if place % 2 else bob).event.cheep_id)
        play(store)
    story.followed(alice, carol)
    play(store)
    kept = len(timeline(alice))
    assert 150 < kept <= 200
    assert timeline(alice) == cheeps[::-1][:kept]
    assert floor(alice) == cheeps[::-1][kept]


def test_a_full_timeline_stays_within_its_cap(redis_store, story, author, play, timeline, floor):
    """The oldest entries go, and the floor is the newest of those that went."""
    alice, bob = author(), author()
    store = redis_store(cap=100)
    story.followed(alice, bob)
    play(store)
    cheeps = []
    for _ in range(130):
        cheeps.insert(0, story.posted(bob).event.cheep_id)
        play(store)
        kept = timeline(alice)
        assert len(kept) <= 100
        assert kept == cheeps[: len(kept)]
        assert floor(alice) == (cheeps[len(kept)] if len(kept) < len(cheeps) else None)


def test_entries_are_compared_as_bytes(redis_store, story, author, play, timeline):
    """Two cheeps of the same microsecond are ordered by id, bytes above 0x7f after those below."""
    alice, bob = author(), author()
    store = redis_store()
    story.followed(alice, bob)
    low, high = "00000000-0000-4000-8000-00000000007f", "00000000-0000-4000-8000-0000000000ff"
    for cheep_id in (high, low):
        story.posted(bob, cheep_id=cheep_id, cheep_date=1_700_000_000_000_000)
    play(store)
    assert timeline(alice) == [high, low]


def test_a_key_of_a_wrong_type_is_found_before_anything_is_written(
    redis_store, redis, redis_prefix, story, author, helpers
):
    """The author's own list is broken: nothing of the cheep is written, and the error names the message."""
    bob = author()
    store = redis_store()
    published = [story.followed(author(), bob) for _ in range(3)]
    partition = published[0].partition
    helpers.apply_all(store, partition, [one.message for one in published])
    redis.set(views.AUTHOR_CHEEPS.key(redis_prefix, bob), "broken")
    keys = sorted(redis.scan_iter(f"{redis_prefix}*"))
    with pytest.raises(UnappliableError) as refused:
        helpers.apply_all(store, partition, [story.posted(bob).message])
    assert refused.value.index == 0
    assert sorted(redis.scan_iter(f"{redis_prefix}*")) == keys


@pytest.mark.parametrize("broken", [views.TIMELINE, views.TIMELINE_FLOOR], ids=lambda pattern: pattern.name)
@pytest.mark.parametrize("inline_max", [0, 1_000])
def test_a_reader_whose_timeline_is_broken_is_left_out(
    redis_store, redis, redis_prefix, story, author, helpers, play, timeline, inline_max, broken
):
    """The others get the author's cheep, and follows and unfollows are counted; the store reports who was left out."""
    bob, readers = author(), sorted(author() for _ in range(3))
    store = redis_store(inline_max=inline_max)
    for reader in readers:
        story.followed(reader, bob)
    play(store)
    redis.hset(broken.key(redis_prefix, readers[1]), "broken", "yes")
    published = story.posted(bob)
    applied = helpers.apply_all(store, published.partition, story.messages[published.partition])
    left_out = applied.left_out + tuple(one for served in serve_all(store) for one in served.left_out)
    assert left_out == (LeftOut(reader_id=readers[1], author_id=bob),)
    assert timeline(readers[0]) == timeline(readers[2]) == [published.event.cheep_id]
    again = [story.unfollowed(readers[1], bob), story.followed(readers[1], bob)]
    applied = helpers.apply_all(store, published.partition, [one.message for one in again])
    assert applied.left_out == left_out * 2
    assert redis.hget(views.AUTHOR_COUNTERS.key(redis_prefix, bob), "followers") == b"3"


def test_a_call_does_a_bounded_amount_of_work(redis_store, story, author, helpers, timeline):
    """A batch that inserts more than work_max is taken in parts, in order, and comes out the same."""
    bob, readers = author(), [author() for _ in range(10)]
    store = redis_store(work_max=15)
    published = [story.followed(reader, bob) for reader in readers]
    partition = published[0].partition
    helpers.apply_all(store, partition, [one.message for one in published])
    cheeps = [story.posted(bob) for _ in range(4)]
    items = helpers.items_of(store, [one.message for one in cheeps])
    assert helpers.apply(store, Batch(partition=partition, topic_id="topic", items=items)).used == 1
    helpers.apply_all(store, partition, [one.message for one in cheeps])
    assert timeline(readers[0]) == [one.event.cheep_id for one in reversed(cheeps)]


def test_scripts_come_back_after_redis_lost_them(redis_store, redis, story, author, play):
    """A Redis that was started anew gets the functions with the next call."""
    store = redis_store()
    story.signed(author())
    play(store)
    redis.script_flush()
    story.signed(author())
    play(store)


def test_a_full_memory_passes(own_redis, story, author, helpers):
    """A full Redis refuses writes: nothing is written, and all is applied when there is room again."""
    with redis_client.Redis.from_url(own_redis.url) as client:
        store = RedisStore(client, RedisSettings(prefix="", inline_max=1, slice_size=1))
        published = story.signed(author())
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        with pytest.raises(StoreUnavailableError, match="refuses for now: OOM"):
            helpers.apply_all(store, published.partition, [published.message])
        assert store.backlog().memory > 1
        client.config_set("maxmemory", 0)
        assert store.backlog().memory is None
        assert client.dbsize() == 0
        assert helpers.apply_all(store, published.partition, [published.message]).checkpoint.sequence == 1


def test_an_unavailable_redis_passes(own_redis, story, author, helpers):
    """A refused connection is not poison."""
    with redis_client.Redis.from_url(own_redis.url) as client:
        store = RedisStore(client, RedisSettings(prefix="", inline_max=1, slice_size=1))
        published = story.signed(author())
        own_redis.stop()
        with pytest.raises(StoreUnavailableError):
            helpers.apply_all(store, published.partition, [published.message])
        with pytest.raises(StoreUnavailableError):
            store.checkpoints([0])
        own_redis.start()
        assert helpers.apply_all(store, published.partition, [published.message]).checkpoint.sequence == 1
