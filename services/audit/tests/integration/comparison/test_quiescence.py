"""Both sides of a comparison belong together, and a repair changes nothing but what was compared."""

from __future__ import annotations

import pytest

from cheeper_audit.checkpoints import read
from cheeper_audit.comparison.quiescence import Comparison, NotQuiescentError, Quiescence
from cheeper_audit.difference import Difference, Fault, RedisRepair
from cheeper_contracts import views

pytestmark = pytest.mark.proves(guarantee="audit")

DIFFERENCE = Difference(store="redis", view="author", id="a", faults=(Fault("1", "2"),))
KEY = "author:a"


@pytest.fixture
def at_rest(stores):
    return Quiescence(stores, patience=5)


@pytest.fixture
def damaged(redis, redis_prefix):
    """The comparison of a key that should be `right`, with its repair."""
    key = redis_prefix + KEY
    redis.set(key, "wrong")
    return Comparison(
        lambda: [] if redis.get(key) == b"right" else [DIFFERENCE],
        lambda _: [RedisRepair((key,), (("SET", key, "right"),))],
    )


def test_a_comparison_at_rest_is_made_once(at_rest):
    """And it is handed back."""
    looks = iter(range(9))
    assert at_rest.compare(lambda: next(looks))[0] == 0


def test_a_comparison_during_which_the_stores_change_is_repeated(at_rest, one_more):
    """Whatever it saw may be of both sides of the move. Without the second reading of the checkpoints this fails."""
    looks = []

    def look():
        looks.append(None)
        if len(looks) == 1:
            one_more()
        return len(looks)

    assert at_rest.compare(look)[0] == 2


def test_a_repeated_comparison_has_a_newer_snapshot(at_rest, stores, relay, one_more):
    """It shows the effects of the message that came in between."""
    relay.execute("CREATE TABLE seen (n int)")

    def look():
        seen = stores.write_model.rows("SELECT n FROM seen")
        if not seen:
            relay.execute("INSERT INTO seen VALUES (1)")
            one_more()
        return seen

    assert at_rest.compare(look)[0] == [(1,)]


@pytest.mark.parametrize("store", ["redis", "mongo"])
def test_the_lag_of_a_store_is_reported(stores, one_more, store):
    """With its partition and how far."""
    one_more(*{"redis", "mongo"} - {store})
    with pytest.raises(NotQuiescentError, match=rf"{store} partition 2: 1 behind, at 5 of 6"):
        Quiescence(stores, patience=0).compare(lambda: None)


def test_messages_that_wait_in_the_outbox_are_reported(stores, relay):
    """Only what lies behind the cursor, in the order of transactions as numbers."""
    relay.execute("INSERT INTO outbox VALUES (1, '9', 99, 0), (1, '10', 3, 0)")
    assert read(stores).at_rest
    relay.execute("INSERT INTO outbox VALUES (1, '10', 4, 0), (1, '100', 1, 0), (2, '3', 1, 0)")
    with pytest.raises(NotQuiescentError, match="relay: 3 messages wait in the outbox"):
        Quiescence(stores, patience=0).compare(lambda: None)


def test_a_difference_is_repaired_where_that_is_asked_for(at_rest, damaged):
    """It is reported either way; a repaired difference is not left."""
    assert at_rest.audit(damaged, repair=False).left == {DIFFERENCE.place}
    outcome = at_rest.audit(damaged, repair=True)
    assert (outcome.found, outcome.left) == ([DIFFERENCE], set())
    assert at_rest.audit(damaged, repair=True).found == []


def test_what_moves_before_the_repair_undoes_it(at_rest, damaged, one_more, redis, redis_prefix):
    """It is compared again, and repaired by what it should be then. Without the comparison in repair.lua this fails."""
    repaired, outdated = [], f"{redis_prefix}outdated"

    def repairs(found):
        repaired.append(found)
        if len(repaired) == 1:
            one_more()
            return [RedisRepair((outdated,), (("SET", outdated, "x"),))]
        return damaged.repairs(found)

    assert at_rest.audit(Comparison(damaged.compare, repairs), repair=True).left == set()
    assert len(repaired) == 2
    assert not redis.exists(outdated)


def test_a_store_with_parked_messages_is_not_repaired(at_rest, damaged, redis, redis_views):
    """Their replay would add to what was repaired."""
    redis.sadd(redis_views.key(views.PARKED_KEYS, 1), "a")
    assert at_rest.audit(damaged, repair=True).left == {DIFFERENCE.place}
