from __future__ import annotations

import pytest

from cheeper_local.waiting import eventually, until


def test_the_first_truthy_value_comes_back():
    """The condition is checked repeatedly until its value is true."""
    values = iter([0, "", None, "there"])
    assert until(lambda: next(values)) == "there"


def test_what_never_comes_true_is_named_with_its_last_value():
    """The error names the condition and its last value."""
    with pytest.raises(TimeoutError, match=r"^the queue's end did not come true within 0\.05 s; the last value was 0$"):
        until(lambda: 0, 0.05, what="the queue's end")


def test_what_never_comes_true_may_have_an_error_of_its_own():
    """The caller's error replaces the time-out."""
    with pytest.raises(LookupError, match=r"^no queue$"):
        until(lambda: 0, 0.05, or_else=LookupError("no queue"))


async def test_coroutines_are_conditions_too():
    """`eventually` takes coroutine functions and plain functions."""
    values = iter([0, 1])

    async def condition() -> int:
        return next(values)

    assert await eventually(condition) == 1
    assert await eventually(lambda: 2) == 2
    with pytest.raises(TimeoutError):
        await eventually(lambda: 0, 0.05)
