import pytest

from cheeper_bench.errors import BenchError
from cheeper_bench.measuring import progress
from cheeper_bench.measuring.progress import drained


def test_the_clock_starts_when_the_first_message_is_done():
    """A process may start meanwhile: what it takes to start is in no figure, neither as time nor as cost."""
    looks, seen = iter([5, 5, 5, 5, 7, 9, 15]), []

    def done():
        seen.append(next(looks))
        return seen[-1]

    found = drained(done, 15, cost=lambda: float(len(seen)))
    assert found.messages == 10
    assert found.cost == 3  # from the fourth look, the last that found nothing done, to the seventh


def test_a_process_that_failed_ends_the_wait():
    """Nobody waits for a dead process."""

    def check():
        raise BenchError("it died")

    with pytest.raises(BenchError, match="it died"):
        drained(lambda: 0, 1, check=check)


def test_a_process_without_progress_ends_the_wait(monkeypatch):
    """The error states how far the process came."""
    monkeypatch.setattr(progress, "_PATIENCE", 0.05)
    with pytest.raises(BenchError, match="3 of 9"):
        drained(lambda: 3, 9)
