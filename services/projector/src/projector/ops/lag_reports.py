"""Lag reports: each consumer reports its lag in its store every second (`cheeper_contracts.views.lag`)."""

from __future__ import annotations

from contextlib import closing
from threading import Event as Flag

import structlog

from cheeper_contracts.views.lag import PERIOD_SECONDS, Lag, report_id
from projector.consumer.progress import Progress
from projector.kafka.log_end import LogEndHistory
from projector.stores.base import LagReports

log = structlog.get_logger()


def known_lags(progress: Progress, ends: LogEndHistory) -> dict[str, Lag]:
    """Return the lag of the partitions that are assigned to the consumer, by `report_id`.

    While the checkpoint or the log end is unknown, the report of the process that had the partition before is better.
    """
    lags = progress.lags(ends)
    return {report_id(progress.generation, number): lag for number, lag in lags.items() if lag.messages is not None}


def report(progress: Progress, ends: LogEndHistory, reports: LagReports, stop: Flag) -> None:
    """Report the lag until stopped. A failure and its end are logged once each."""
    error: str | None = None
    with closing(reports):
        while not stop.is_set():
            before, error = error, None
            try:
                if lags := known_lags(progress, ends):
                    reports.write(lags)
            except Exception as failure:  # noqa: BLE001 - whatever it is, the next report may succeed
                error = f"{type(failure).__name__}: {failure}"
            if error and not before:
                log.warning(
                    "the lag cannot be reported, so readers assume it grows", store=progress.store, reason=error
                )
            elif before and not error:
                log.info("the lag is reported again", store=progress.store)
            stop.wait(PERIOD_SECONDS)
