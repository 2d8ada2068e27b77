"""How far the stores are, and what they have set aside."""

from __future__ import annotations

import msgspec

from cheeper_audit import standing
from cheeper_contracts import views


def test_parked_messages_are_counted_and_not_their_keys(stores, redis, redis_views, mongo):
    """In each store that is audited; one that has none is not told."""
    redis.sadd(redis_views.key(views.PARKED_KEYS, 4), "k")
    redis.rpush(redis_views.key(views.PARKED, "k"), "one", "two", "three")
    assert standing.parked(stores) == {"redis": 3}
    mongo[views.PARKED_MESSAGES.name].insert_one({"_id": "4:6", "key": "k"})
    assert standing.parked(stores) == {"redis": 3, "mongo": 1}
    assert standing.parked(msgspec.structs.replace(stores, audited=("mongo",))) == {"mongo": 1}
