import pytest

from write_api.consumer.load import COLLECT_SECONDS, Load


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def spend(clock):
    """Let a consumer wait and work in turn, for so many seconds each, and return its load after that."""

    def spend(waits, works, turns=200):
        load = Load(clock)
        for _ in range(turns):
            with load.waiting():
                clock.now += waits
            clock.now += works
        with load.waiting():
            return load

    return spend


@pytest.mark.parametrize(
    ("waits", "works", "seconds"),
    [(0.1, 0.001, 0.0), (0.05, 0.01, 0.0), (0.005, 0.01, COLLECT_SECONDS), (0.0, 0.01, COLLECT_SECONDS)],
)
def test_only_a_busy_consumer_collects(spend, waits, works, seconds):
    """A consumer handles a rare message at once, and collects some where most of its time is work."""
    assert spend(waits, works).collect_seconds == seconds


def test_one_long_batch_makes_nobody_busy_for_long(spend):
    """A consumer that was busy collects no more once it has waited for half a second."""
    assert spend(0.5, 5.0, turns=1).collect_seconds == COLLECT_SECONDS
    assert spend(0.5, 0.01, turns=2).collect_seconds == 0.0


def test_collecting_does_not_make_busy(spend):
    """The time of collecting counts as waiting: else a consumer that collects would go on with it for ever."""
    assert spend(0.02 + COLLECT_SECONDS, 0.002).collect_seconds == 0.0
