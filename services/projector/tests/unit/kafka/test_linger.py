"""The linger: a consumer waits for more messages only while it is busy."""

import pytest

from projector.kafka.linger import LONGEST, Linger


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def run(linger, clock, seconds, *, worked, waited):
    """Work and wait in turn for some seconds."""
    for _ in range(round(seconds / (worked + waited))):
        clock.now += worked
        linger.worked()
        clock.now += waited
        linger.waited()


def test_at_rest_nothing_waits(clock):
    """Neither the first message ever, nor one of ten in a second that take 5 ms each."""
    linger = Linger(clock)
    assert linger.seconds == 0
    run(linger, clock, 3, worked=0.005, waited=0.095)
    assert linger.seconds == 0


def test_the_busier_the_longer_it_waits(clock):
    """At half of the time it waits longest, and soon after the last message not at all."""
    linger, found = Linger(clock), []
    for waited in (0.03, 0.02, 0.005):
        run(linger, clock, 3, worked=0.005, waited=waited)
        found.append(linger.seconds)
    assert 0 < found[0] < found[1] < found[2] == pytest.approx(LONGEST, rel=1e-3)
    run(linger, clock, 1, worked=0.000_1, waited=0.1)
    assert linger.seconds == 0
