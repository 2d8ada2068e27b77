"""Says in a store how late it is, every second, in a thread of its own: `cheeper_contracts.lag` tells for whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from threading import Event as Flag
from threading import Thread
from typing import Protocol

import structlog

from cheeper_contracts.lag import PERIOD_SECONDS, LagReport, report_id
from projector.log_ends import LogEnds
from projector.progress import Progress
from projector.stores import StoreError

log = structlog.get_logger()


class LagReports(Protocol):
    """Where a store keeps them."""

    def tell(self, reports: Mapping[str, LagReport]) -> None:
        """Keep these, by `report_id`, instead of those before. Raises StoreError."""

    def close(self) -> None:
        """Gives its connections back."""


def reports_of(progress: Progress, ends: LogEnds, now: float) -> dict[str, LagReport]:
    """One for each partition that the consumer has now; `now` in seconds since 1970."""
    found = {}
    for partition in sorted(progress.owned()):
        behind = progress.behind(partition, ends)
        report = LagReport(told_at=now, messages=behind.messages, seconds=behind.seconds)
        found[report_id(progress.generation, partition)] = report
    return found


def report(progress: Progress, ends: LogEnds, reports: LagReports, wanted: Callable[[], bool], stop: Flag) -> Thread:
    """Starts the thread, which ends with `stop` or once it is not wanted. While the store is away, nothing is told."""

    def tell() -> None:
        with closing(reports):
            while not stop.is_set() and wanted():
                try:
                    if found := reports_of(progress, ends, time.time()):
                        reports.tell(found)
                except StoreError as error:
                    log.debug("the lag is not told", store=progress.store, why=str(error))
                except Exception:
                    log.exception("the lag cannot be told", store=progress.store)
                stop.wait(PERIOD_SECONDS)

    thread = Thread(target=tell, name=f"lag-{progress.store}", daemon=True)
    thread.start()
    return thread
