"""The reports of a consumer's lag, and that they continue."""

from __future__ import annotations

from threading import Event as Flag
from threading import Thread

import pytest
from structlog.testing import capture_logs

from cheeper_contracts.views.lag import Lag, report_id
from cheeper_local.testing import until
from projector.consumer.partition import Partition
from projector.consumer.progress import Progress
from projector.kafka.log_end import LogEndHistory
from projector.ops import lag_reports
from projector.stores.base import Checkpoint, StoreUnavailableError, UnappliableError

NOW = 1_000.0


class Kept:
    """A store's reports in memory. It refuses reports as long as there are `faults`, which end one by one."""

    def __init__(self):
        self.written, self.faults, self.closed = [], [], False

    def write(self, lags):
        if self.faults:
            raise self.faults.pop(0)
        self.written.append(lags)

    def close(self):
        self.closed = True


def progress(assigned, generation=1, started=None):
    made = Progress("redis", generation)
    made.partitions = {number: Partition(number, clock=lambda: NOW) for number in assigned}
    for number in assigned if started is None else started:
        made.partitions[number].start(Checkpoint(sequence=4, topic_id="t", offset=3), "t")
    return made


@pytest.fixture
def ends():
    """The log, to which nothing was written for a while."""
    made = LogEndHistory(lambda: NOW - 7)
    made.record({0: 4, 5: 6, 6: 9})
    return made


@pytest.fixture
def stop(monkeypatch):
    monkeypatch.setattr(lag_reports, "PERIOD_SECONDS", 0.001)
    flag = Flag()
    yield flag
    flag.set()


def test_each_partition_that_it_has_is_reported_with_its_own_lag(ends):
    """By its generation; the others are reported by the process that has them."""
    found = lag_reports.known_lags(progress({0, 5}, generation=2), ends)
    assert found == {report_id(2, 0): Lag(0, 0.0), report_id(2, 5): Lag(2, 7.0)}


def test_an_unknown_lag_is_not_reported(ends):
    """A consumer that was just assigned a partition or has not seen the log does not overwrite a report."""
    assert lag_reports.known_lags(progress({0, 5}, started={0}), ends).keys() == {report_id(1, 0)}
    assert lag_reports.known_lags(progress({0, 5}), LogEndHistory()) == {}


@pytest.fixture
def started(stop, ends):
    """Start reporting in a thread."""

    def start(progress, kept):
        thread = Thread(target=lag_reports.report, args=(progress, ends, kept, stop))
        thread.start()
        return thread

    return start


@pytest.mark.parametrize(
    "fault", [StoreUnavailableError("unavailable"), UnappliableError(None, "no"), RuntimeError("a defect")]
)
def test_after_a_fault_reporting_goes_on_and_the_fault_is_logged_once(stop, started, fault):
    """A thread that had ended, or failed in silence, would leave all views late for ever."""
    kept = Kept()
    kept.faults = [fault] * 3
    with capture_logs() as lines:
        thread = started(progress({0}), kept)
        until(lambda: len(kept.written) > 1)
        stop.set()
        thread.join(60)
    assert [line["log_level"] for line in lines] == ["warning", "info"]
    assert str(fault) in lines[0]["reason"]
    assert kept.closed


def test_without_a_partition_nothing_is_reported(stop, started):
    """A standby has no lag."""
    kept = Kept()
    thread = started(progress(set()), kept)
    stop.wait(0.01)
    stop.set()
    thread.join(60)
    assert kept.written == []
    assert kept.closed
