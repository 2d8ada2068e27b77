from hypothesis import given
from hypothesis import strategies as st

from inspector.trace.waterfall import Times, steps

FIELDS = ("requested", "sent", "in_commands", "began", "changed", "in_events")


def test_waits_are_the_times_between_the_steps():
    """Each wait counts from the step before, and says where the time was spent."""
    found = steps(Times(requested=10, sent=30, in_commands=35, began=100, changed=101, in_events=500))
    assert [step.at for step in found] == [10, 30, 35, 100, 101, 500]
    assert [step.waited for step in found] == [None, 20, 5, 65, 1, 399]
    assert [step.during is None for step in found] == [True, False, False, False, False, False]


def test_a_step_without_a_time_is_left_out_of_the_waits():
    """The wait before a step counts from the last one whose time is known."""
    found = steps(Times(requested=10, began=100, in_events=None))
    assert [(step.at, step.waited) for step in found][:4] == [(10, None), (None, None), (None, None), (100, 90)]


def test_clocks_that_differ_give_no_negative_wait():
    """A step that seems to be before its cause did not wait."""
    assert steps(Times(sent=50, in_commands=40))[2].waited == 0


@given(st.dictionaries(st.sampled_from(FIELDS), st.integers(0, 10**15)))
def test_waits_add_up(times):
    """Of times that rise, the waits add up to the time from the first to the last."""
    rising = dict(zip(times, sorted(times.values()), strict=True))
    ordered = dict(zip(sorted(rising, key=FIELDS.index), sorted(rising.values()), strict=True))
    waits = [step.waited for step in steps(Times(**ordered)) if step.waited is not None]
    known = list(ordered.values())
    assert sum(waits) == (known[-1] - known[0] if known else 0)
