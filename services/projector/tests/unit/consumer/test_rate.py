from projector.consumer.rate import Rate


def test_a_rate_makes_room_and_no_number_is_no_limit():
    """After so many events one waits as long as they take at that rate; without a number there is no wait."""
    slow, free = Rate(10), Rate(None)
    for rate in (slow, free):
        assert rate.wait == 0
        rate.count(50)
    assert 4 < slow.wait <= 5
    assert free.wait == 0
