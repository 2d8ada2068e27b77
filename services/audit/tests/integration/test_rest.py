"""What is compared belongs together, and what is mended is what was compared."""

from __future__ import annotations

import pytest

from cheeper_audit.difference import Difference, Fault, RedisMend
from cheeper_audit.rest import Look, NotAtRestError, Rest
from cheeper_audit.standing import read
from cheeper_contracts import views

pytestmark = pytest.mark.proves(guarantee="audit")

DIFFERENCE = Difference(store="redis", view="author", id="a", faults=(Fault("1", "2"),))
KEY = "author:a"


@pytest.fixture
def rest(stores):
    return Rest(stores, patience=5)


@pytest.fixture
def damaged(redis, redis_prefix):
    """A key that should be `right`; gives what compares it and what mends it."""
    key = redis_prefix + KEY
    redis.set(key, "wrong")
    return Look(
        lambda: [] if redis.get(key) == b"right" else [DIFFERENCE],
        lambda _: [RedisMend((key,), (("SET", key, "right"),))],
    )


def test_a_look_at_rest_is_the_only_one(rest):
    """And it is handed back."""
    looks = iter(range(9))
    assert rest.look(lambda: next(looks))[0] == 0


def test_a_look_during_which_the_stores_move_is_repeated(rest, one_more):
    """Whatever it saw may be of both sides of the move. Without the second reading of the checkpoints this fails."""
    looks = []

    def look():
        looks.append(None)
        if len(looks) == 1:
            one_more()
        return len(looks)

    assert rest.look(look)[0] == 2


def test_the_snapshot_of_a_repeated_look_is_a_newer_one(rest, stores, relay, one_more):
    """It sees what the message told that came in between."""
    relay.execute("CREATE TABLE told (n int)")

    def look():
        seen = stores.write_model.rows("SELECT n FROM told")
        if not seen:
            relay.execute("INSERT INTO told VALUES (1)")
            one_more()
        return seen

    assert rest.look(look)[0] == [(1,)]


@pytest.mark.parametrize("store", ["redis", "mongo"])
def test_a_store_that_stays_behind_is_told(stores, one_more, store):
    """With its partition and how far."""
    one_more(*{"redis", "mongo"} - {store})
    with pytest.raises(NotAtRestError, match=rf"{store} partition 2: 1 behind, at 5 of 6"):
        Rest(stores, patience=0).look(lambda: None)


def test_what_waits_in_the_outbox_is_told(stores, relay):
    """Only what lies behind the cursor, in the order of transactions as numbers."""
    relay.execute("INSERT INTO outbox VALUES (1, '9', 99, 0), (1, '10', 3, 0)")
    assert read(stores).at_rest
    relay.execute("INSERT INTO outbox VALUES (1, '10', 4, 0), (1, '100', 1, 0), (2, '3', 1, 0)")
    with pytest.raises(NotAtRestError, match="relay: 3 messages wait in the outbox"):
        Rest(stores, patience=0).look(lambda: None)


def test_a_difference_is_mended_where_that_is_asked_for(rest, damaged):
    """It is told either way; what was mended is left no more."""
    assert rest.audit(damaged, repair=False).left == {DIFFERENCE.place}
    outcome = rest.audit(damaged, repair=True)
    assert (outcome.found, outcome.left) == ([DIFFERENCE], set())
    assert rest.audit(damaged, repair=True).found == []


def test_what_moves_before_the_mend_undoes_it(rest, damaged, one_more, redis, redis_prefix):
    """It is compared again, and mended by what it should be then. Without the comparison in mend.lua this fails."""
    mended, outdated = [], f"{redis_prefix}outdated"

    def mends(found):
        mended.append(found)
        if len(mended) == 1:
            one_more()
            return [RedisMend((outdated,), (("SET", outdated, "x"),))]
        return damaged.mends(found)

    assert rest.audit(Look(damaged.compare, mends), repair=True).left == set()
    assert len(mended) == 2
    assert not redis.exists(outdated)


def test_a_store_with_parked_messages_is_not_mended(rest, damaged, redis, redis_views):
    """Their replay would add to what was mended."""
    redis.sadd(redis_views.key(views.PARKED_KEYS, 1), "a")
    assert rest.audit(damaged, repair=True).left == {DIFFERENCE.place}
