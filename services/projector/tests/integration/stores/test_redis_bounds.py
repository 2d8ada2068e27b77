"""Scripts on keys of a million elements: none takes long, whatever it meets."""

import msgspec
import pytest
import redis as redis_client

from cheeper_contracts import views
from cheeper_contracts.events.cheep_posted import CheepPosted
from projector.stores.base import Batch, UnappliableError
from projector.stores.redis.parked import RedisParkedMessages
from projector.stores.redis.scripts import MESSAGES_MAX, RedisSettings
from projector.stores.redis.store import RedisStore

MILLION = 1_000_000
LONG_MICROSECONDS = 150_000
"""Thirty times what a script may take: the machine is shared, and a walk over a million elements takes longer still."""
BOB, EVE, READER = (f"{name}0000000-0000-4000-8000-000000000000" for name in "bed")
PARTITION = 0
NEWEST = 1_700_000_000_000_000
FILL = """
for first = tonumber(ARGV[1]), tonumber(ARGV[2]), 1000 do
  local parts = {}
  for number = first, first + 999 do
    if ARGV[3] == 'entries' then
      parts[#parts + 1] = 0
      parts[#parts + 1] = struct.pack('>I8', ARGV[4] + number) .. string.rep('\\0', 8) .. struct.pack('>I8', number)
    elseif ARGV[3] == 'ids' then
      parts[#parts + 1] = 0
      parts[#parts + 1] = string.format('%08x-0000-4000-8000-000000000000', number)
    else
      parts[#parts + 1] = ARGV[4]
    end
  end
  redis.call(ARGV[3] == 'texts' and 'RPUSH' or 'ZADD', KEYS[1], unpack(parts))
end
"""


def fill(client, key, what, extra=""):
    """Put a million elements into a set or list, made in the server. A pipeline's reply would come after all of it."""
    for first in range(0, MILLION, 5_000):
        client.eval(FILL, 1, key, first, first + 4_999, what, extra)


def cheep(number, author=BOB):
    """Return the event of the entry of that number."""
    return CheepPosted(
        cheep_id=f"00000000-0000-0000-{number >> 48:04x}-{number & (1 << 48) - 1:012x}",
        author_id=author,
        author_username="bob",
        message="hello",
        cheep_date=NEWEST - MILLION + number,
    )


@pytest.fixture(scope="module")
def server(servers):
    """A Redis of these tests alone: Bob has a million cheeps, and Eve a million followers."""
    own = servers.own("redis")
    with redis_client.Redis.from_url(own.url) as client:
        fill(client, views.AUTHOR_CHEEPS.key("", BOB), "entries", NEWEST - MILLION)
        fill(client, views.FOLLOWERS.key("", EVE), "ids")
        record = '{"author_id":"' + BOB + '"}'
        newest = [cheep(number) for number in range(MILLION - 3_000, MILLION)]
        client.mset({views.CHEEP_RECORD.key("", one.cheep_id): record for one in newest})
    return own


@pytest.fixture
def client(server):
    """A client of that Redis, whose commands that take long are logged from now on."""
    with redis_client.Redis.from_url(server.url) as client:
        client.config_set("slowlog-log-slower-than", LONG_MICROSECONDS)
        client.slowlog_reset()
        client.delete(views.CHECKPOINT.key("", PARTITION))
        yield client


@pytest.fixture
def store(client):
    made = RedisStore(client, RedisSettings(prefix="", inline_max=1_000, slice_size=1_000))
    made.checkpoints([PARTITION])
    return made


def slow(client):
    return [(one["command"][:40], one["duration"]) for one in client.slowlog_get(10)]


@pytest.mark.extended
def test_many_old_cheeps_are_deleted_behind_a_million(store, client, story, helpers):
    """Deletes of the oldest, the middle and the newest cost the same: a search in the set."""
    numbers = [*range(150), *range(MILLION // 2, MILLION // 2 + 150), *range(MILLION - 100, MILLION)]
    published = [story.deleted(cheep(number), partition=PARTITION) for number in numbers]
    before = client.zcard(views.AUTHOR_CHEEPS.key("", BOB))
    helpers.apply_all(store, PARTITION, [one.message for one in published])
    assert client.zcard(views.AUTHOR_CHEEPS.key("", BOB)) == before - len(numbers)
    assert slow(client) == []


@pytest.mark.extended
def test_a_follow_an_unfollow_and_a_refill_read_few_of_a_million(store, client, story, helpers):
    """The timeline gets the newest, its floor is the next one, and a refill finds what is below."""
    published = [story.followed(READER, BOB, partition=PARTITION), story.followed(READER, EVE, partition=PARTITION)]
    helpers.apply_all(store, PARTITION, [one.message for one in published])
    listed = client.lrange(views.TIMELINE.key("", READER), 0, -1)
    assert len(listed) == views.TIMELINE_ENTRIES
    assert listed == client.zrange(views.AUTHOR_CHEEPS.key("", BOB), 0, len(listed) - 1, desc=True)
    client.ltrim(views.TIMELINE.key("", READER), 0, 10)
    client.set(views.TIMELINE_FLOOR.key("", READER), listed[11])
    published = [story.unfollowed(READER, EVE, partition=PARTITION)]
    helpers.apply_all(store, PARTITION, [one.message for one in published])
    while store.tasks.serve(PARTITION) is not None:
        pass
    refilled = client.lrange(views.TIMELINE.key("", READER), 0, -1)
    assert refilled == listed
    assert slow(client) == []


@pytest.mark.extended
def test_a_cheep_for_a_million_followers_goes_out_in_slices(store, client, story, helpers):
    """Each slice is short, and so is the status that counts those that wait."""
    published = story.posted(EVE, partition=PARTITION)
    helpers.apply_all(store, PARTITION, [published.message])
    for _ in range(5):
        assert store.tasks.serve(PARTITION).served <= 1_000
    assert store.status().tasks >= 900
    assert slow(client) == []


@pytest.mark.extended
def test_a_key_with_a_million_parked_messages_is_read_in_steps(store, client, story, helpers):
    """It is counted, and a message far down its queue is refused with what to do first."""
    published = story.posted(BOB, partition=PARTITION)
    item = helpers.items_of(store, [published.message])[0]
    parked = item.parked("topic")
    fill(client, views.PARKED.key("", BOB), "texts", msgspec.json.encode(parked))
    last = msgspec.structs.replace(parked, sequence=2)
    client.lset(views.PARKED.key("", BOB), 5_000, msgspec.json.encode(last))
    client.sadd(views.PARKED_KEYS.key("", PARTITION), BOB)
    client.slowlog_reset()
    messages = RedisParkedMessages(client, RedisSettings(prefix="", inline_max=1_000, slice_size=1_000))
    assert store.backlog().parked == MILLION
    assert messages.drop(parked)
    with pytest.raises(UnappliableError, match="1,000 other messages"):
        messages.drop(last)
    client.unlink(views.PARKED.key("", BOB), views.PARKED_KEYS.key("", PARTITION))
    assert slow(client) == []


def test_a_call_takes_a_bounded_number_of_messages(redis_store, story, author, helpers):
    """The rest of a long batch comes with the next call."""
    store, bob = redis_store(), author()
    published = [story.posted(bob) for _ in range(MESSAGES_MAX + 10)]
    items = helpers.items_of(store, [one.message for one in published])
    assert (
        helpers.apply(store, Batch(partition=published[0].partition, topic_id="topic", items=items)).used
        == MESSAGES_MAX
    )


@pytest.mark.parametrize("kind", ["insert", "late", "remove"])
def test_what_is_left_of_a_fan_out_is_a_task(redis_store, redis, redis_prefix, story, author, helpers, kind):
    """Even one message stops after the work of a call; each follower is served in the end, and none twice."""
    bob, readers = author(), [author() for _ in range(30)]
    store = redis_store()
    published = [story.followed(reader, bob) for reader in readers]
    partition, first = published[0].partition, story.posted(bob)
    helpers.apply_all(store, partition, [one.message for one in (*published, first)])
    if kind == "remove":
        message, left = story.deleted(first.event), []
    else:
        late = {"cheep_date": first.event.cheep_date - 1} if kind == "late" else {}
        message = story.posted(bob, **late)
        left = sorted((entry_of(message.event), entry_of(first.event)), reverse=True)
    store = redis_store(work_max=12)
    helpers.apply_all(store, partition, [message.message])
    timelines = [views.TIMELINE.key(redis_prefix, reader) for reader in readers]
    served = sum(redis.lrange(timeline, 0, -1) == left for timeline in timelines)
    assert served == {"insert": 12, "late": 1, "remove": 4}[kind]
    while store.tasks.serve(partition) is not None:
        pass
    assert [redis.lrange(timeline, 0, -1) for timeline in timelines] == [left] * len(readers)


def entry_of(event):
    return views.pack_entry(event.cheep_date, event.cheep_id)


def test_following_on_and_off_rewrites_a_timeline_twice(redis_store, redis, redis_prefix, story, author, helpers):
    """Of many follows and unfollows of a pair in a call, only the last of each is done, and the result is the last."""
    bob, reader = author(), author()
    store = redis_store()
    published = [story.posted(bob) for _ in range(5)]
    partition = published[0].partition
    helpers.apply_all(store, partition, [one.message for one in published])
    toggles = [one for _ in range(20) for one in (story.followed(reader, bob), story.unfollowed(reader, bob))] + [
        story.followed(reader, bob)
    ]
    items = helpers.items_of(store, [one.message for one in toggles])
    before = redis.info("commandstats")["cmdstat_zrange"]["calls"]
    assert helpers.apply(store, Batch(partition=partition, topic_id="topic", items=items)).used == len(toggles)
    assert redis.info("commandstats")["cmdstat_zrange"]["calls"] <= before + 2
    assert redis.lrange(views.TIMELINE.key(redis_prefix, reader), 0, -1) == [
        entry_of(one.event) for one in published[::-1]
    ]
