import itertools

import pytest

from cheeper_bench import progress
from cheeper_bench.errors import BenchError
from cheeper_bench.progress import drained


def test_the_clock_starts_when_the_first_message_is_done():
    """A process may start meanwhile: what it takes to start is in no figure."""
    looks = iter([5, 5, 5, 5, 7, 9, 15])
    cost = itertools.count()
    found = drained(lambda: next(looks), 15, cost=lambda: next(cost))
    assert found.messages == 10
    assert 2 * 0.02 <= found.seconds < 6 * 0.02 + 1


def test_a_process_that_failed_ends_the_wait():
    """Nobody waits for a dead process."""

    def check():
        raise BenchError("it died")

    with pytest.raises(BenchError, match="it died"):
        drained(lambda: 0, 1, check=check)


def test_a_process_that_stands_still_ends_the_wait(monkeypatch):
    """What never comes is said so, with how far it came."""
    monkeypatch.setattr(progress, "_PATIENCE", 0.05)
    with pytest.raises(BenchError, match="3 of 9"):
        drained(lambda: 3, 9)
