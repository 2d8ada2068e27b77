from __future__ import annotations

from cheeper_audit.checkpoints import Checkpoints
from cheeper_audit.lag.meter import LagMeter, Worst
from cheeper_audit.stores import StoreState
from cheeper_audit.stores.write_model import Relayed


def checkpoints(sent, redis, mongo, waiting=0, seconds=0.0):
    """Return the checkpoints of one partition."""
    stores = {"redis": StoreState(1, {0: redis}, 0, 0), "mongo": StoreState(1, {0: mongo}, 0, 0)}
    return Checkpoints(Relayed({0: sent}, waiting, seconds), stores)


def test_the_lag_begins_when_the_first_missing_message_was_there():
    """Not when the last one came."""
    meter = LagMeter()
    meter.measure(10.0, checkpoints(5, 5, 5))
    meter.measure(11.0, checkpoints(7, 5, 7))
    redis, mongo = meter.measure(12.5, checkpoints(9, 6, 8))
    assert (redis.sequences, redis.seconds) == (3, 1.5)
    assert (mongo.sequences, mongo.seconds) == (1, 0.0)
    assert "timeline" in redis.late
    assert not mongo.late


def test_what_waits_for_the_relay_is_lag_too():
    """Of both stores."""
    redis, mongo = LagMeter().measure(1.0, checkpoints(5, 5, 5, waiting=4, seconds=1.5))
    assert (redis.sequences, redis.seconds, bool(redis.late)) == (4, 1.5, True)
    assert (mongo.sequences, mongo.seconds, bool(mongo.late)) == (4, 1.5, False)


def test_a_store_that_caught_up_has_no_lag():
    """Whatever it was before."""
    meter = LagMeter()
    meter.measure(1.0, checkpoints(9, 1, 1))
    redis, _ = meter.measure(60.0, checkpoints(9, 9, 9))
    assert (redis.sequences, redis.seconds) == (0, 0.0)


def test_the_worst_of_some_seconds_is_reported():
    """Once, and then of the next seconds."""
    worst, meter = Worst(), LagMeter()
    assert worst.add(0.0, meter.measure(0.0, checkpoints(9, 1, 9)), 0) is None
    assert worst.add(2.0, meter.measure(2.0, checkpoints(9, 1, 9)), 3) is None
    sentence = worst.add(6.0, meter.measure(6.0, checkpoints(9, 9, 9)), 0)
    assert sentence is not None
    assert "redis 8 sequences behind, 2.0 s, beyond the objective of author" in sentence
    assert "3 turns" in sentence
    assert worst.add(7.0, meter.measure(7.0, checkpoints(9, 9, 9)), 0) is None


def test_at_rest_is_where_all_was_sent_and_applied_and_no_task_waits():
    """Each of the three alone is lag, and is reported."""
    assert checkpoints(5, 5, 5).at_rest
    for where, sentence in (
        (checkpoints(5, 4, 5), "redis partition 0: 1 behind, at 4 of 5"),
        (checkpoints(5, 5, 6), "mongo partition 0: 1 ahead of the relay, at 6 of 5"),
        (checkpoints(5, 5, 5, waiting=2, seconds=0.5), "relay: 2 messages wait in the outbox, for 0.5 s"),
        (
            Checkpoints(Relayed({0: 5}, 0, 0), {"redis": StoreState(1, {0: 5}, 1, 0)}),
            "redis: fan-out tasks wait, 1 in turn",
        ),
    ):
        assert not where.at_rest
        assert list(where.lags()) == [sentence]
