"""What is said of a consumer's lateness, and that it goes on being said."""

from __future__ import annotations

from threading import Event as Flag

import pytest

from cheeper_contracts.lag import LagReport, report_id
from cheeper_local.testing import until
from projector import lag_reports
from projector.log_ends import LogEnds
from projector.progress import Progress
from projector.stores import Checkpoint, StoreAwayError

NOW = 1_000.0


class Kept:
    """A store's reports, kept here."""

    def __init__(self):
        self.told, self.faults, self.closed = [], [], False

    def tell(self, reports):
        if self.faults:
            raise self.faults.pop()
        self.told.append(reports)

    def close(self):
        self.closed = True


def progress(owned, generation=1):
    made = Progress("redis", generation, owned=lambda: owned, clock=lambda: NOW)
    for partition in owned:
        made.placed(partition, Checkpoint(sequence=4, topic_id="t", offset=3), "t")
    return made


@pytest.fixture
def stop(monkeypatch):
    monkeypatch.setattr(lag_reports, "PERIOD_SECONDS", 0.001)
    flag = Flag()
    yield flag
    flag.set()


def test_each_partition_that_it_has_is_reported_with_its_own_lag():
    """By its generation; of the others the process that has them tells."""
    ends = LogEnds(lambda: NOW - 7)
    ends.saw({0: 4, 5: 6, 6: 9})
    assert lag_reports.reports_of(progress({0, 5}, generation=2), ends, NOW) == {
        report_id(2, 0): LagReport(told_at=NOW, messages=0, seconds=0.0),
        report_id(2, 5): LagReport(told_at=NOW, messages=2, seconds=7.0),
    }


@pytest.mark.parametrize("fault", [StoreAwayError("away"), RuntimeError("a defect")])
def test_a_fault_is_not_the_end_of_it(stop, fault):
    """The next one is told; a thread that had ended would leave all views late for ever."""
    kept = Kept()
    kept.faults = [fault]
    thread = lag_reports.report(progress({0}), LogEnds(), kept, lambda: True, stop)
    until(lambda: len(kept.told) > 1, 5)
    stop.set()
    thread.join(5)
    assert kept.closed


def test_a_generation_that_is_forgotten_is_told_of_no_more(stop):
    """The thread ends and gives its connections back."""
    kept, wanted = Kept(), [True]
    thread = lag_reports.report(progress({0}), LogEnds(), kept, lambda: wanted[0], stop)
    until(lambda: kept.told, 5)
    wanted[0] = False
    thread.join(5)
    assert not thread.is_alive()
    assert kept.closed


def test_without_a_partition_nothing_is_written(stop):
    """A standby has nothing to say."""
    kept, looks = Kept(), []
    thread = lag_reports.report(progress(set()), LogEnds(), kept, lambda: looks.append(1) or len(looks) < 4, stop)
    thread.join(5)
    assert kept.told == []
