"""Says in a store how late it is, every second, in a thread of its own: `cheeper_contracts.lag` tells for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from threading import Event as Flag
from threading import Thread
from typing import Protocol

import structlog

from cheeper_contracts.lag import PERIOD_SECONDS, Lag, report_id
from projector.consumer.progress import Progress
from projector.ops.log_end_history import LogEndHistory

log = structlog.get_logger()


class LagReports(Protocol):
    """Where a store keeps them."""

    def tell(self, lags: Mapping[str, Lag]) -> None:
        """Keep these, by `report_id` and with the store's time, instead of those before. Raises StoreError."""

    def close(self) -> None:
        """Gives its connections back."""


def known_lags(progress: Progress, ends: LogEndHistory) -> dict[str, Lag]:
    """Of the partitions that the consumer has now, by `report_id`. Where one does not know yet how far the store is or
    how far the log reaches, the report of who had the partition before says more.
    """
    lags = progress.lags(ends)
    return {report_id(progress.generation, at): lag for at, lag in lags.items() if lag.messages is not None}


def report(
    progress: Progress, ends: LogEndHistory, reports: LagReports, wanted: Callable[[], bool], stop: Flag
) -> Thread:
    """Starts the thread, which ends with `stop` or once it is not wanted. Where the store takes none, the log says so
    once, and once more when it does again.
    """
    store = progress.store

    def tell() -> None:
        why: str | None = None
        with closing(reports):
            while not stop.is_set() and wanted():
                before, why = why, None
                try:
                    if lags := known_lags(progress, ends):
                        reports.tell(lags)
                except Exception as error:  # noqa: BLE001 - whatever it is, the next one may be taken
                    why = f"{type(error).__name__}: {error}"
                if why and not before:
                    log.warning("the store does not take how late it is, so readers call it late", store=store, why=why)
                elif before and not why:
                    log.info("the store takes how late it is again", store=store)
                stop.wait(PERIOD_SECONDS)

    thread = Thread(target=tell, name=f"lag-{store}", daemon=True)
    thread.start()
    return thread
