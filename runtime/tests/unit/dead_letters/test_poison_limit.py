from cheeper_runtime.dead_letters.poison_limit import PoisonLimit


def test_as_many_as_the_limit_within_a_minute_reach_it():
    """Poison that is older than 60 s does not count, and no poison reaches no limit."""
    now = [0.0]
    limit = PoisonLimit(most_a_minute=3, clock=lambda: now[0])
    limit.count(1)
    now[0] = 59.0
    limit.count(1)
    assert limit.reached(1, 1) == "3 messages within a minute"
    assert limit.reached(0, 0) is None
    now[0] = 60.0
    assert limit.reached(1, 1) is None
    assert limit.reached(2, 2) == "3 messages within a minute"


def test_as_many_as_the_limit_in_a_row_reach_it():
    """The number in a row is the caller's, which knows what came between."""
    limit = PoisonLimit(most_in_a_row=3)
    assert limit.reached(2, 2) is None
    assert limit.reached(3, 3) == "3 messages in a row"
    assert limit.reached(4, 1) == "4 messages in a row"
