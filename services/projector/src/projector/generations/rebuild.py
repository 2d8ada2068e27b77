"""A rebuild: a new generation of a store's views, filled from the beginning of the log beside the live one.

A rebuild can be stopped or killed at any moment. The registry says which generation is being built, and that
generation's own checkpoints say how far it is, so the next rebuild resumes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from threading import Event as Flag
from threading import Thread
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from cheeper_contracts.partitions import PARTITIONS
from cheeper_runtime.readiness.needs import Readiness, is_ready
from projector.consumer.loop import Consumer
from projector.kafka.log_end import LogEnd, done_of
from projector.stores.base import Checkpoint, Store, StoreUnavailableError
from projector.stores.registry import BehindError, Generations, NotComparedError

T = TypeVar("T")

POLL_PERIOD: Final = 0.5
STILL_SECONDS: Final = 5.0
"""After this time without a new message, and nothing amiss, the rest of the log is duplicates."""
_REPORT_PERIOD: Final = 10.0


class Stopped(Exception):  # noqa: N818 - no error: the rebuild is to be resumed later
    """The rebuild was stopped before it was complete."""


class Display(Protocol):
    """Shows people the progress of a rebuild."""

    def moved(self, done: int, total: int) -> None:
        """Show how many of the log's messages are in the new generation."""

    def print(self, line: str) -> None:
        """Show a line."""


class RebuildFactory(msgspec.Struct, frozen=True, kw_only=True):
    """Makes what a rebuild of one store works with; `consumer` fills the generation of that number."""

    generations: Generations
    log_end: LogEnd
    store: Callable[[int], Store]
    consumer: Callable[[int, Readiness, Flag], Consumer]


class Rebuild:
    """The rebuild of one store. `version` is that of the projections here."""

    def __init__(self, factory: RebuildFactory, version: int, display: Display, stop: Flag) -> None:
        self._factory = factory
        self._generations = factory.generations
        self._version = version
        self._display = display
        self._stop = stop
        self._failure: Exception | None = None

    def run(self, *, switch: bool, restored: bool) -> None:
        """Fill the new generation until it can be activated, and with `switch` until it is live.

        Raise Stopped, GenerationError, and whatever is a defect.
        """
        number = self._begin()
        readiness, end = Readiness(), Flag()
        consumer = Thread(target=self._consume, args=(number, readiness, end), name=f"rebuild {number}", daemon=True)
        consumer.start()
        try:
            self._fill(number, readiness, restored=restored)
            self._retry(lambda: self._generations.activate(number))
            self._print(f"generation {number} is active")
            if switch:
                self._switch(number, restored=restored)
        finally:
            end.set()
            consumer.join()

    def _begin(self) -> int:
        def begin() -> int:
            unfinished = self._generations.register(self._version).unfinished(self._version)
            one = unfinished or self._generations.create(self._version)
            self._print(f"{'resumes' if unfinished else 'builds'} generation {one.number} of version {one.version}")
            return one.number

        return self._retry(begin)

    def _consume(self, number: int, readiness: Readiness, end: Flag) -> None:
        structlog.contextvars.bind_contextvars(generation=number)
        try:
            self._factory.consumer(number, readiness, end).run()
        except Exception as error:  # noqa: BLE001 - the rebuild's own thread raises it
            self._failure = error

    def _fill(self, number: int, readiness: Readiness, *, restored: bool) -> None:
        """Wait until the generation has all that the log and the live generation had at the poll before."""
        with closing(self._factory.store(number)) as store, closing(self._factory.store(self._live())) as live:
            topic_id = self._retry(self._factory.log_end.topic_id)
            wanted, moved_at, before = None, time.monotonic(), -1
            while True:
                reached = self._retry(lambda: store.checkpoints(range(PARTITIONS)))
                done, total = done_of(reached, self._retry(self._factory.log_end.ends), topic_id)
                self._display.moved(done, total)
                if done != before:
                    before, moved_at = done, time.monotonic()
                if wanted is not None and (restored or _has_all(reached, wanted[0])):
                    still = time.monotonic() - moved_at > STILL_SECONDS
                    if done >= wanted[1] or (still and is_ready(readiness.needs())):
                        return
                wanted = (self._retry(lambda: live.checkpoints(range(PARTITIONS))), total)
                self._pause()

    def _switch(self, number: int, *, restored: bool) -> None:
        live, report_at = self._live(), 0.0
        while True:
            try:
                self._retry(lambda: self._generations.switch(number, restored=restored))
            except (BehindError, NotComparedError) as error:
                if time.monotonic() > report_at:
                    report_at = time.monotonic() + _REPORT_PERIOD
                    self._print(f"waits to switch: {error}")
                self._pause()
            else:
                self._print(f"readers are shown generation {number}, not {live}")
                return

    def _live(self) -> int:
        return self._retry(self._generations.registry).live

    def _retry(self, action: Callable[[], T]) -> T:
        while True:
            self._check()
            try:
                return action()
            except StoreUnavailableError as error:
                self._print(str(error))
                self._pause()

    def _pause(self) -> None:
        self._check()
        self._stop.wait(POLL_PERIOD)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._stop.is_set():
            raise Stopped

    def _print(self, line: str) -> None:
        self._display.print(f"{self._generations.name}: {line}")


def _has_all(reached: dict[int, Checkpoint], live: dict[int, Checkpoint]) -> bool:
    return all(reached[partition].sequence >= one.sequence for partition, one in live.items())
