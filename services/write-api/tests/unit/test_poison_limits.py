from write_api.consumer.poison_limit import PerMinute


def test_as_many_as_the_limit_within_a_minute_reach_it():
    """What is older than 60 s does not count, and nothing is reached by nothing."""
    now = [0.0]
    limit = PerMinute(3, lambda: now[0])
    limit.count(1)
    now[0] = 59.0
    limit.count(1)
    assert limit.reached_by(1)
    assert not limit.reached_by(0)
    now[0] = 60.0
    assert not limit.reached_by(1)
    assert limit.reached_by(2)
