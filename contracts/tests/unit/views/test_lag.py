"""Lag reports: what one is worth when it is read."""

import pytest

from cheeper_contracts import views
from cheeper_contracts.views import lag

NOW = 1_000.0


def report(told_at):
    return lag.LagReport(told_at=told_at, messages=1, seconds=0.5)


@pytest.mark.parametrize("age", [-1.0, 0.0, 1.0, lag.SILENT_SECONDS])
def test_a_fresh_report_is_taken_at_its_word(age):
    """Whatever the time to the next report makes of it."""
    assert report(NOW - age).at(NOW) == lag.Lag(1, 0.5)


@pytest.mark.parametrize("age", [lag.SILENT_SECONDS + 0.5, 900.0, -900.0])
def test_silence_counts_as_lag(age):
    """A projector that has ended reports nothing; how many messages there are by now is not known.

    So is a report of the future, which would look fresh until then.
    """
    assert report(NOW - age).at(NOW) == lag.Lag(None, 0.5 + abs(age))


def test_reports_of_generations_and_partitions_are_separate():
    """The lag of a rebuild does not count for readers of the live views."""
    assert len({lag.report_id(generation, partition) for generation in (1, 2, 12) for partition in range(8)}) == 24


def test_each_view_that_is_one_has_its_objective():
    """In seconds, of both stores."""
    assert lag.OBJECTIVES["redis"][views.TIMELINE.name] == views.TIMELINE.lag_ms / 1_000
    assert lag.OBJECTIVES["mongo"][views.AUTHORS.name] == views.AUTHORS.lag_ms / 1_000
    assert views.CHECKPOINT.name not in lag.OBJECTIVES["redis"]


def test_the_hash_is_no_key_of_a_generation():
    """All keys of the views carry a colon behind the pattern's name, so forgetting a generation leaves the reports."""
    assert lag.lag_key("p:") == views.stem("p:") + "lag"
    assert lag.LAG not in {pattern.name for pattern in views.KEY_PATTERNS} | {each.name for each in views.COLLECTIONS}
