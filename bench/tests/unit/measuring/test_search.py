"""The search for a rate, against systems with a known limit."""

from __future__ import annotations

import pytest

from cheeper_bench.measuring.search import MOST_MS, highest


def curve(limit):
    """Return the p99 of a system that is well up to a rate, and not kept up with at twice that."""
    asked = []

    def p99_at(rate):
        asked.append(rate)
        return None if rate > 2 * limit else 10.0 if rate <= limit else 100.0

    return p99_at, asked


@pytest.mark.parametrize("first", [100, 400, 900, 3000])
def test_the_search_finds_the_rate_within_a_step(first):
    """From below or from above, the highest rate with a p99 below the bound is found to a fifth."""
    p99_at, _ = curve(500)
    best = highest(first, p99_at)
    assert 500 / 1.2 < best.rate <= 500
    assert best.p99 < MOST_MS


def test_the_search_from_where_it_was_takes_two_steps():
    """Later rounds begin at the rate of the one before, so they are short."""
    p99_at, asked = curve(500)
    first = highest(400, p99_at).rate
    asked.clear()
    assert highest(first, p99_at).rate == first
    assert len(asked) == 2


def test_a_system_that_is_never_well_has_no_rate():
    """If not even ten requests a second are served in time, the figure is 0."""
    assert highest(100, lambda _: None).rate == 0
