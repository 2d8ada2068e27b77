"""The checkpoints of the stores, and their parked messages."""

from __future__ import annotations

import msgspec

from cheeper_audit import checkpoints
from cheeper_contracts import views


def test_parked_messages_are_counted_and_not_their_keys(stores, redis, redis_views, mongo):
    """Each audited store that has parked messages has their number."""
    redis.sadd(redis_views.key(views.PARKED_KEYS, 4), "k")
    redis.rpush(redis_views.key(views.PARKED, "k"), "one", "two", "three")
    assert checkpoints.parked(stores) == {"redis": 3}
    mongo[views.PARKED_MESSAGES.name].insert_one({"_id": "4:6", "key": "k"})
    assert checkpoints.parked(stores) == {"redis": 3, "mongo": 1}
    assert checkpoints.parked(msgspec.structs.replace(stores, audited=("mongo",))) == {"mongo": 1}
