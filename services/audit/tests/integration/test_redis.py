"""Repairs keys by compare-and-set, and reading keys of any type."""

from __future__ import annotations

import pytest

from cheeper_audit.difference import RedisRepair
from cheeper_audit.stores import StoreUnavailableError
from cheeper_audit.stores.redis import RedisViews, Unreadable
from cheeper_audit.views.redis.base import pushed
from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS

pytestmark = [pytest.mark.proves(guarantee="audit"), pytest.mark.variants]

SEQUENCES = dict.fromkeys(range(PARTITIONS), 5)
OWNER = "0190a0b0-0000-7000-8000-00000000000a"


@pytest.fixture
def at_five(redis, redis_views):
    """Set all checkpoints to 5."""
    for partition in range(PARTITIONS):
        redis.hset(redis_views.key(views.CHECKPOINT, partition), mapping={"sequence": 5, "topic_id": "t", "offset": 9})


@pytest.fixture
def repair(redis_views):
    """Return a repair that fills a list with more entries than one command takes, with every byte among them."""
    key = redis_views.key(views.AUTHOR_CHEEPS, OWNER)
    listed = [bytes([n % 256]) * 24 for n in range(1_200)]
    return RedisRepair((key,), (("DEL", key), *pushed(key, listed))), key, listed


@pytest.mark.usefixtures("at_five")
def test_a_key_is_written_where_the_checkpoints_are_as_they_were(redis, redis_views, repair):
    """Whatever was there before."""
    todo, key, listed = repair
    redis.set(key, "of another type")
    assert redis_views.repair([todo, todo], SEQUENCES) == 2
    assert redis.lrange(key, 0, -1) == listed


@pytest.mark.usefixtures("at_five")
@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_nothing_is_written_once_any_checkpoint_has_moved(redis, redis_views, repair, partition):
    """A view may be fed by keys of every partition. Without the comparison in repair.lua each of these fails."""
    todo, key, _ = repair
    redis.hincrby(redis_views.key(views.CHECKPOINT, partition), "sequence", 1)
    assert redis_views.repair([todo], SEQUENCES) == 0
    assert not redis.exists(key)


@pytest.mark.usefixtures("at_five")
def test_nothing_is_written_while_a_task_waits(redis, redis_views, repair):
    """It would bring to a timeline what the repaired one has, or has no more."""
    todo, key, _ = repair
    redis.rpush(redis_views.key(views.TASK_AUTHORS, 3), OWNER)
    assert redis_views.repair([todo], SEQUENCES) == 0
    assert not redis.exists(key)


def test_a_store_without_checkpoints_is_at_the_beginning(redis_views, repair):
    """As one that came back empty."""
    assert redis_views.state().sequences == dict.fromkeys(range(PARTITIONS), 0)
    assert redis_views.repair([repair[0]], dict.fromkeys(range(PARTITIONS), 0)) == 1


@pytest.mark.usefixtures("at_five")
def test_what_waits_and_what_is_parked_is_counted(redis, redis_views):
    """Over all partitions."""
    redis.rpush(redis_views.key(views.TASK_AUTHORS, 3), OWNER, "")
    redis.rpush(redis_views.key(views.TASKS, OWNER), '{"sequence": 4, "entry": ""}', '{"sequence": 6, "entry": ""}')
    redis.sadd(redis_views.key(views.PARKED_KEYS, 7), OWNER)
    state = redis_views.state()
    assert (state.sequences, state.tasks, state.parked) == (SEQUENCES, 2, 1)
    assert redis_views.oldest_tasks() == {3: 4}


def test_no_author_with_tasks_is_missed_while_their_list_turns(redis, redis_views, monkeypatch):
    """The authors whose slices are served become the last ones, between the parts in which the list is read."""
    authors, key = [f"author {number}" for number in range(2_500)], redis_views.key(views.TASK_AUTHORS, 3)
    redis.rpush(key, *authors)
    execute = RedisViews.execute

    def execute_and_turn(self, commands):
        replies = execute(self, commands)
        for _ in range(100):
            redis.lmove(key, key)
        return replies

    monkeypatch.setattr(RedisViews, "execute", execute_and_turn)
    found = {author.decode() for some in redis_views._authors_with_tasks(3) for author in some}
    assert found == set(authors)


def test_a_key_of_another_type_is_reported_and_blocks_no_other(redis, redis_views, redis_prefix):
    """In the order of the commands."""
    redis.set(f"{redis_prefix}a", "x")
    wrong, right = redis_views.execute([("LRANGE", f"{redis_prefix}a", 0, -1), ("GET", f"{redis_prefix}a")])
    assert isinstance(wrong, Unreadable)
    assert right == b"x"


def test_only_the_installations_keys_are_scanned(redis, redis_prefix):
    """Whatever characters its prefix has that mean something in a pattern."""
    prefix = f"{redis_prefix}[*]?\\"
    installation = RedisViews(redis, prefix)
    mine = {installation.key(views.TIMELINE, n).encode() for n in range(3)}
    for key in mine:
        redis.set(key, "x")
    redis.set(views.TIMELINE.key(f"{redis_prefix}[a]b\\", 1), "x")
    assert {key for keys in installation.all_keys() for key in keys} == mine


def test_a_server_that_refuses_is_named_by_its_setting(redis):
    """Without what the setting holds."""
    with pytest.raises(StoreUnavailableError, match="REDIS_URL"):
        RedisViews(redis, "").execute([("NO-SUCH-COMMAND",)])
