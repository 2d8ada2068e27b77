from __future__ import annotations

from types import SimpleNamespace

import pytest

from cheeper_contracts.lag import Lag
from projector.consumer.progress import Progress
from projector.ops.log_end_history import LogEnds
from projector.stores.base import Checkpoint

START = 1_000.0
MISSING = 3


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ends(clock):
    return LogEnds(clock)


@pytest.fixture
def progress(clock):
    made = Progress("redis", clock=clock)
    made.placed(0, Checkpoint(sequence=4, topic_id="t", offset=3), "t")
    return made


def message(offset, committed=START):
    """As far as progress looks at one."""
    envelope = SimpleNamespace(time=int(committed * 1_000_000))
    return SimpleNamespace(offset=offset, sequence=offset + 1, envelope=envelope, event=object())


def settle(progress, *messages):
    progress.settled(0, [SimpleNamespace(incoming=each) for each in messages], set(), messages[-1].sequence)
    progress.holds(0, None)
    progress.took(0, messages[-1], whole=True, gap=False)


def test_at_the_end_of_the_log_nothing_is_behind(progress, ends, clock):
    """However long ago the last message was."""
    ends.saw({0: 4})
    clock.now += 900
    assert progress.behind(0, ends) == Lag(0, 0.0)


def test_lag_grows_while_nothing_is_read(progress, ends, clock):
    """From when the first message that is missing was seen in the log, not the last."""
    ends.saw({0: 4})
    clock.now += 1
    ends.saw({0: 6})
    clock.now += 20
    ends.saw({0: 9})
    clock.now += 5
    assert progress.behind(0, ends) == Lag(5, 25.0)
    settle(progress, message(4), message(5))
    assert progress.behind(0, ends) == Lag(3, 5.0)
    settle(progress, message(6), message(7), message(8))
    assert progress.behind(0, ends) == Lag(0, 0.0)


def test_a_message_in_hand_tells_its_own_age(progress, ends, clock):
    """It was committed before it was seen, and a store that is away does not take it."""
    ends.saw({0: 4})
    clock.now += 1
    ends.saw({0: 5})
    progress.reads(0, [message(4, START - 50)], [message(4, START - 50)])
    clock.now += 9
    assert progress.behind(0, ends) == Lag(1, 60.0)


def test_a_backlog_that_was_there_before_us_is_as_old_as_what_was_applied_last(progress, ends, clock):
    """The first look of all cannot say since when; what was applied a moment ago was committed just before."""
    ends.saw({0: 900})
    clock.now += 2
    assert progress.behind(0, ends) == Lag(896, 2.0)
    settle(progress, message(4, START - 500))
    assert progress.behind(0, ends) == Lag(895, 502.0)


def test_what_the_log_holds_twice_is_not_behind(progress, ends):
    """Duplicates that were read are done, wherever the checkpoint stays, and are counted."""
    ends.saw({0: 6})
    again = [message(4), message(5)]
    for each in again:
        each.sequence -= 2
    progress.reads(0, again, [])
    progress.took(0, again[-1], whole=True, gap=False)
    assert progress.behind(0, ends) == Lag(0, 0.0)
    assert progress.duplicates == len(again)


def test_behind_a_gap_lag_grows(progress, ends, clock):
    """What was read behind it does not count as done."""
    ends.saw({0: 4})
    clock.now += 1
    ends.saw({0: 4 + MISSING})
    progress.reads(0, [message(6)], [])
    progress.took(0, message(6), whole=False, gap=True)
    clock.now += 30
    assert (progress.behind(0, ends), progress.gaps) == (Lag(MISSING, 30.0), {0})


def test_another_log_has_no_history(progress, ends, clock):
    """Ends that go back are those of a topic made anew."""
    ends.saw({0: 40})
    clock.now += 60
    ends.saw({0: 2})
    assert ends.since(0, 1) == (clock.now, True)
    progress.placed(0, Checkpoint(sequence=4, topic_id="t", offset=3), "another")
    assert progress.behind(0, ends).messages == 2


def test_where_the_store_never_said_where_it_is_lag_grows_from_the_start(ends, clock):
    """It was away from the beginning: how many messages it lacks nobody knows."""
    made = Progress("mongo", clock=clock)
    clock.now += 12
    assert made.behind(0, ends) == Lag(None, 12.0)


def test_before_the_first_look_at_the_log_nobody_knows_how_far_it_reaches(progress, ends, clock):
    """Which is not the same as nothing behind; the seconds are those that we have not known."""
    clock.now += 5
    assert progress.behind(0, ends) == Lag(None, 5.0)


def test_of_a_partition_that_went_to_another_nothing_is_known(progress, ends):
    """When it comes back, who had it meanwhile was further than we remember."""
    ends.saw({0: 9})
    progress.keeps({0})
    assert progress.behind(0, ends).messages == 5
    progress.keeps({1, 2})
    assert progress.behind(0, ends).messages is None
