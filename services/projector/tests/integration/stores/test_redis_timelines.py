"""The views in Redis against an oracle: any order between keys, duplicates, restored stores, tasks at any moment."""

import json
import uuid
from datetime import UTC, datetime
from itertools import count
from operator import itemgetter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cheeper_contracts import views
from cheeper_contracts.events.cheep_updated import CheepUpdated

pytestmark = pytest.mark.store

AUTHORS = tuple(str(uuid.UUID(int=number * 0x1111_2222_3333_4444_5555)) for number in range(1, 7))
HOURS_BEHIND = (0, 0, 0, 1, 2, 3)  # the cheeps of some are older, so that they come late
PARTITIONS = 3
CAP = 5

authors = st.sampled_from(range(len(AUTHORS)))
acts = st.one_of(
    st.tuples(st.sampled_from(["sign up", "post"]), authors),
    st.tuples(st.sampled_from(["follow", "follow", "unfollow", "mute", "unmute"]), authors, authors),
    st.tuples(st.sampled_from(["post", "post", "answer", "update", "delete"]), authors, st.integers(0, 50)),
)
READER = len(AUTHORS) - 1
POSTS_AND_FOLLOWS = [("post", number, 0) for number in range(READER) for _ in range(4)]
POSTS_AND_FOLLOWS += [("follow", number, READER) for number in range(READER)]
acts_around_a_reader = st.one_of(
    st.tuples(
        st.sampled_from(["follow", "unfollow", "unfollow", "mute", "unmute"]),
        st.integers(0, READER - 1),
        st.just(READER),
    ),
    st.tuples(st.sampled_from(["delete", "delete", "post"]), st.integers(0, READER - 1), st.integers(0, 50)),
)
orders = st.lists(st.integers(0, 5), min_size=10, max_size=10)
steps = st.one_of(
    st.tuples(st.just("apply"), st.integers(0, PARTITIONS - 1), st.integers(0, 3), st.integers(1, 6)),
    st.tuples(st.just("serve"), st.integers(0, PARTITIONS - 1)),
    st.tuples(st.just("copy")),
    st.tuples(st.just("restore")),
)
by_example = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class World:
    """The write model's result for a script: each key's stream of events, and the views expected in the end."""

    def __init__(self, story, now):
        self._story = story
        self._clock = count(now, 1_000_003)
        self.follows, self.mutes = set(), set()
        self.cheeps = {author: {} for author in AUTHORS}  # those that live: the last event by entry

    @property
    def streams(self):
        return {number: list(stream) for number, stream in self._story.messages.items()}

    def play(self, script):
        for act, number, *rest in script:
            author, among = AUTHORS[number], {"partition": number}
            if act == "sign up":
                self._story.signed(author, **among)
            elif act in {"follow", "unfollow"}:
                self._follow(act, AUTHORS[rest[0]], author, among)
            elif act in {"mute", "unmute"}:
                self._mute(act, AUTHORS[rest[0]], author, among)
            elif act == "post":
                self._put(self._story.posted(author, cheep_date=self._date(number), **among).event)
            elif act == "answer":
                found = [cheep for of in self.cheeps.values() for cheep in of.values()]
                if found:
                    parent = found[rest[0] % len(found)]
                    self._put(self._story.answered(author, parent, cheep_date=self._date(number), **among).event)
            elif self.cheeps[author]:
                self._change(act, list(self.cheeps[author].values())[rest[0] % len(self.cheeps[author])], among)
        return self

    def _follow(self, act, reader, author, among):
        pair = (reader, author)
        if reader != author and act == "follow":
            self._story.followed(*pair, **among)  # a second one of a pair: the same op again, as if by mistake
            self.follows.add(pair)
        elif pair in self.follows:
            self._story.unfollowed(*pair, **among)
            self.follows.remove(pair)

    def _mute(self, act, reader, author, among):
        pair = (reader, author)
        if reader != author and act == "mute":
            self._story.muted(*pair, **among)
            self.mutes.add(pair)
        elif pair in self.mutes:
            self._story.unmuted(*pair, **among)
            self.mutes.remove(pair)

    def _change(self, act, cheep, among):
        if act == "update":
            self._put(self._story.updated(cheep, "other", **among).event)
        else:
            self._story.deleted(cheep, **among)
            del self.cheeps[cheep.author_id][entry_of(cheep)]

    def _put(self, cheep):
        self.cheeps[cheep.author_id][entry_of(cheep)] = cheep

    def _date(self, number):
        return next(self._clock) - HOURS_BEHIND[number] * 3_600_000_000

    def timeline(self, reader):
        seen = [who for one, who in self.follows - self.mutes if one == reader]
        return sorted((entry for who in seen for entry in self.cheeps[who]), reverse=True)


def entry_of(cheep):
    return views.pack_entry(cheep.cheep_date, cheep.cheep_id)


def laid(helpers, streams, order):
    """The streams as partitions of one log: keys in the order that the numbers say, each stream in its own."""
    story, waiting = helpers.Story(), {number: list(stream) for number, stream in streams.items()}
    turn = 0
    while waiting:
        number = sorted(waiting)[order[turn % len(order)] % len(waiting)]
        story.add(helpers.decode(waiting[number].pop(0)).event, partition=number % PARTITIONS)
        waiting = {one: rest for one, rest in waiting.items() if rest}
        turn += 1
    return story


class Copies:
    """A store's keys, as a backup holds them."""

    def __init__(self, redis, prefix):
        self._redis, self._prefix, self._kept = redis, prefix, {}

    def keep(self):
        self._kept = {key: self._redis.dump(key) for key in self._keys()}

    def restore(self):
        for key in self._keys():
            self._redis.delete(key)
        for key, value in self._kept.items():
            self._redis.restore(key, 0, value)

    def _keys(self):
        return list(self._redis.scan_iter(f"{self._prefix}*", count=1_000))


def run(store, story, helpers, copies, plan):
    for step, *rest in plan:
        if step == "apply":
            partition, back, number = rest
            start = max(0, store.checkpoints([partition])[partition].sequence - back)
            helpers.apply_all(store, partition, story.messages.get(partition, [])[start : start + number])
        elif step == "serve":
            store.tasks.serve(rest[0])
        elif step == "copy":
            copies.keep()
        else:
            copies.restore()


def finish(store, story, helpers):
    for partition, messages in story.messages.items():
        helpers.apply_all(store, partition, messages)
    for partition in story.messages:
        while store.tasks.serve(partition) is not None:
            pass


@pytest.mark.parametrize("inline_max", [0, 2, 1_000])
@by_example
@given(script=st.lists(acts, min_size=10, max_size=60), order=orders, plan=st.lists(steps, max_size=40))
def test_views_equal_the_oracle(redis_store, redis, redis_prefix, helpers, inline_max, script, order, plan):
    """Every view equals the model for any interleaving of keys and any cut, repetition and restoration of the log."""
    copies = Copies(redis, redis_prefix)
    copies.restore()
    store = redis_store(inline_max=inline_max, slice_size=1, cap=CAP, work_max=3, refill_authors=2)
    world = World(helpers.Story(), helpers.now).play(script)
    story = laid(helpers, world.streams, order)
    run(store, story, helpers, copies, plan)
    finish(store, story, helpers)
    compare(redis, redis_prefix, world)
    assert store.status().tasks == 0


@pytest.mark.parametrize("inline_max", [0, 1_000])
@by_example
@given(
    script=st.lists(acts_around_a_reader, min_size=20, max_size=40),
    order=orders,
    turns=st.lists(st.tuples(st.integers(0, PARTITIONS - 1), st.integers(0, 3)), min_size=40, max_size=80),
)
@pytest.mark.extended
def test_the_floor_holds_at_every_moment(redis_store, redis, redis_prefix, helpers, inline_max, script, order, turns):
    """A refill takes many steps, one author each, and whatever comes between two of them, the list is complete above
    its floor but for what fan-out tasks have yet to bring.
    """
    Copies(redis, redis_prefix).restore()
    store = redis_store(inline_max=inline_max, slice_size=1, cap=CAP, refill_authors=1)
    world = World(helpers.Story(), helpers.now).play(POSTS_AND_FOLLOWS + script)
    story = laid(helpers, world.streams, order)
    done = dict.fromkeys(story.messages, 0)
    for partition, slices in turns:
        number = done.get(partition, 0)
        helpers.apply_all(store, partition, story.messages.get(partition, [])[number : number + 1])
        done[partition] = number + 1
        check_floors(redis, redis_prefix)
        for waiting in sorted(store.tasks.partitions_with_tasks(range(PARTITIONS)))[:slices]:
            store.tasks.serve(waiting)
            check_floors(redis, redis_prefix)
    finish(store, story, helpers)
    compare(redis, redis_prefix, world)


def check_floors(redis, prefix):
    with redis.pipeline() as pipe:
        for author in AUTHORS:
            for pattern in (views.FOLLOWING, views.MUTED, views.AUTHOR_CHEEPS):
                pipe.zrange(pattern.key(prefix, author), 0, -1)
            for pattern in (views.TASKS, views.TIMELINE):
                pipe.lrange(pattern.key(prefix, author), 0, -1)
            pipe.get(views.TIMELINE_FLOOR.key(prefix, author))
        pipe.keys(views.CHEEP_RECORD.key(prefix, "*"))
        *replies, records = pipe.execute()
    found = {author: replies[6 * number : 6 * number + 6] for number, author in enumerate(AUTHORS)}
    for following, muted, _, _, listed, floor in found.values():
        of = [found[author.decode()] for author in set(following) - set(muted)]
        above = {entry for _, _, own, *_ in of for entry in own if entry > (floor or b"")}
        yet_to_come = {bytes.fromhex(json.loads(task)["entry"]) for _, _, _, tasks, *_ in of for task in tasks}
        assert listed == sorted(set(listed), reverse=True)
        assert not floor or all(entry > floor for entry in listed)
        assert above - set(listed) <= yet_to_come
        for entry in set(listed) - above:
            assert views.CHEEP_RECORD.key(prefix, views.unpack_entry(entry)[1]).encode() not in records


def compare(redis, prefix, world):
    for pattern in (views.TASKS, views.TASK_AUTHORS, views.SHORT_TIMELINES, views.REFILL):
        assert list(redis.scan_iter(pattern.key(prefix, "*"), count=1_000)) == []
    for author in AUTHORS:
        followers = {reader for reader, followed in world.follows if followed == author}
        following = {followed for reader, followed in world.follows if reader == author}
        assert members(redis, views.FOLLOWERS.key(prefix, author)) == followers
        assert members(redis, views.FOLLOWING.key(prefix, author)) == following
        assert members(redis, views.MUTERS.key(prefix, author)) == {one for one, who in world.mutes if who == author}
        assert members(redis, views.MUTED.key(prefix, author)) == {who for one, who in world.mutes if one == author}
        counters = redis.hgetall(views.AUTHOR_COUNTERS.key(prefix, author))
        assert int(counters.get(b"followers", 0)) == len(followers)
        assert int(counters.get(b"following", 0)) == len(following)
        assert int(counters.get(b"cheeps", 0)) == len(world.cheeps[author])
        own = sorted(world.cheeps[author])
        assert redis.zrange(views.AUTHOR_CHEEPS.key(prefix, author), 0, -1) == own
        compare_timeline(redis, prefix, world, author)
    keys = redis.scan_iter(views.CHEEP_RECORD.key(prefix, "*"), count=1_000)
    records = [json.loads(record) for record in redis.mget(list(keys) or ["none"]) if record]
    expected = [record_of(cheep) for of in world.cheeps.values() for cheep in of.values()]
    assert sorted(records, key=itemgetter("cheep_id")) == sorted(expected, key=itemgetter("cheep_id"))


def compare_timeline(redis, prefix, world, reader):
    """The list, and below its floor the followed authors' own lists, are the timeline; and the list is not short."""
    whole = world.timeline(reader)
    floor, found = timeline(redis, prefix, reader)
    assert found == [entry for entry in whole if entry > floor]
    assert len(found) <= CAP
    assert len(found) * 2 >= CAP or not floor


def timeline(redis, prefix, reader):
    floor = redis.get(views.TIMELINE_FLOOR.key(prefix, reader)) or b""
    return floor, redis.lrange(views.TIMELINE.key(prefix, reader), 0, -1)


def record_of(cheep):
    return {
        "cheep_id": cheep.cheep_id,
        "cheep_date": as_text(cheep.cheep_date),
        "cheep_message": cheep.message,
        "author_id": cheep.author_id,
        "author_username": cheep.author_username,
        "in_reply_to": getattr(cheep, "in_reply_to", None),
        "edited_at": as_text(cheep.edited_at) if isinstance(cheep, CheepUpdated) else None,
    }


def as_text(microseconds):
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).isoformat()


def members(redis, key):
    return {member.decode() for member in redis.zrange(key, 0, -1)}
