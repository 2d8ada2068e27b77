"""Timelines against a plain oracle: any order between keys, duplicates, restored stores, tasks at any moment."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cheeper_contracts import views
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.cheep_posted import CheepPosted

AUTHORS = tuple(str(uuid.UUID(int=number * 0x1111_2222_3333_4444_5555)) for number in range(1, 7))
PARTITIONS = 3
CAP = 5

authors = st.sampled_from(range(len(AUTHORS)))
acts = st.one_of(
    st.tuples(st.just("sign up"), authors),
    st.tuples(st.just("follow"), authors, authors),
    st.tuples(st.just("post"), authors),
)
steps = st.one_of(
    st.tuples(st.just("apply"), st.integers(0, PARTITIONS - 1), st.integers(0, 3), st.integers(1, 6)),
    st.tuples(st.just("serve"), st.integers(0, PARTITIONS - 1)),
    st.tuples(st.just("copy")),
    st.tuples(st.just("restore")),
)


def told(story, script):
    """The log of a script: authors of one partition share its order."""
    for act, *numbers in script:
        who = [AUTHORS[number] for number in numbers]
        partition = AUTHORS.index(who[-1]) % PARTITIONS
        if act == "sign up":
            story.signed(who[0], partition=partition)
        elif act == "post":
            story.posted(who[0], partition=partition)
        elif who[0] != who[1]:
            story.followed(*who, partition=partition)  # a second one of a pair: the same op again, as if by mistake
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


def run(store, story, tell, copies, plan):
    for step, *rest in plan:
        if step == "apply":
            partition, back, number = rest
            start = max(0, store.checkpoints([partition])[partition].sequence - back)
            tell.apply_all(store, partition, story.messages.get(partition, [])[start : start + number])
        elif step == "serve":
            store.serve(rest[0])
        elif step == "copy":
            copies.keep()
        else:
            copies.restore()


def finish(store, story, tell):
    for partition, messages in story.messages.items():
        tell.apply_all(store, partition, messages)
        while store.serve(partition) is not None:
            pass


@pytest.mark.parametrize("inline_max", [0, 1, 1_000])
@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(script=st.lists(acts, min_size=10, max_size=60), plan=st.lists(steps, max_size=40))
def test_views_equal_the_oracle(redis_store, redis, redis_prefix, tell, inline_max, script, plan):
    """However the log was cut, repeated and restored, every view is what the events say."""
    copies = Copies(redis, redis_prefix)
    copies.restore()
    store = redis_store(inline_max=inline_max, slice_size=1, cap=CAP, work_max=3)
    story = told(tell.Story(), script)
    run(store, story, tell, copies, plan)
    finish(store, story, tell)
    compare(redis, redis_prefix, tell, story)


def compare(redis, prefix, tell, story):
    messages = [message for log in story.messages.values() for message in log]
    events = [tell.decode(message).event for message in messages]
    follows = {(e.from_author_id, e.to_author_id) for e in events if isinstance(e, AuthorFollowed)}
    entries = {author: [] for author in AUTHORS}
    for event in events:
        if isinstance(event, CheepPosted):
            entries[event.author_id].insert(0, views.pack_entry(event.cheep_date, event.cheep_id))
    for author in AUTHORS:
        followers = {reader for reader, followed in follows if followed == author}
        following = {followed for reader, followed in follows if reader == author}
        assert members(redis, views.FOLLOWERS.key(prefix, author)) == followers
        assert members(redis, views.FOLLOWING.key(prefix, author)) == following
        counters = redis.hgetall(views.AUTHOR_COUNTERS.key(prefix, author))
        assert int(counters.get(b"followers", 0)) == len(followers)
        assert int(counters.get(b"following", 0)) == len(following)
        assert int(counters.get(b"cheeps", 0)) == len(entries[author])
        assert redis.lrange(views.AUTHOR_CHEEPS.key(prefix, author), 0, -1) == entries[author]

        whole = sorted((entry for followed in following for entry in entries[followed]), reverse=True)
        floor = redis.get(views.TIMELINE_FLOOR.key(prefix, author)) or b""
        found = redis.lrange(views.TIMELINE.key(prefix, author), 0, -1)
        assert found == [entry for entry in whole if entry > floor]
        assert len(found) == min(CAP, len(whole))


def members(redis, key):
    return {member.decode() for member in redis.zrange(key, 0, -1)}
