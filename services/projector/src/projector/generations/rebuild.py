"""A rebuild: a new generation of a store's views, filled from the log's beginning beside the live one.

It can be stopped, or killed, at any moment: which generation it builds stands in the registry, how far it is in that
generation's own checkpoints, so the next one goes on with both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from threading import Event as Flag
from threading import Thread
from typing import Final, Protocol, TypeVar

import structlog

from cheeper_contracts.partitions import PARTITIONS
from projector.consumer.loop import Consumer
from projector.generations.comparison import Comparison, compare
from projector.generations.diff import Sides
from projector.generations.registry import BehindError, Generations
from projector.kafka.log_end import EventLogEnds, done_of
from projector.ops.health import Health
from projector.stores.base import Checkpoint, Store, StoreUnavailableError

T = TypeVar("T")

LOOK_PERIOD: Final = 0.5
STILL_SECONDS: Final = 5.0
"""After so long without a new message, and nothing amiss, the log is at its end: the rest are a relay's doubles."""
_TELL_PERIOD: Final = 10.0


class Stopped(Exception):  # noqa: N818 - no error: somebody wants to go on later
    """The rebuild was told to stop before it was through."""


class Watcher(Protocol):
    """Who shows people how far a rebuild is."""

    def moved(self, done: int, total: int) -> None:
        """So many of the log's messages are in the new generation."""

    def say(self, line: str) -> None:
        """One line for people."""


class Workshop(Protocol):
    """What a rebuild of one store is given: its generations, and how to make what works on one."""

    @property
    def generations(self) -> Generations:
        """The store's registry."""

    @property
    def ends(self) -> EventLogEnds:
        """How far the log reaches."""

    def consumer(self, number: int, health: Health, stop: Flag) -> Consumer:
        """The consumer that fills a generation."""

    def store(self, number: int) -> Store:
        """A generation, to see how far it is."""

    def sides(self, live: int, other: int) -> Sides:
        """Two generations beside each other."""


class Rebuild:
    """One store's rebuild. `version` is that of the projections here."""

    def __init__(self, workshop: Workshop, version: int, watcher: Watcher, stop: Flag) -> None:
        self._shop = workshop
        self._generations = workshop.generations
        self._version = version
        self._watcher = watcher
        self._stop = stop
        self._failure: Exception | None = None

    def run(self, *, switch: bool, restored: bool) -> Comparison | None:
        """Until the new generation stands, and with `switch` until it is live; what the comparison with the live one
        found, none where there was none. Raises Stopped, GenerationError, and what is a defect.
        """
        number = self._begun()
        health, end = Health(), Flag()
        consumer = Thread(target=self._consume, args=(number, health, end), name=f"rebuild {number}", daemon=True)
        consumer.start()
        try:
            self._fill(number, health, restored=restored)
            found = None if restored else self._compare(number)
            self._patiently(lambda: self._generations.stand(number))
            self._watcher.say(f"{self._generations.name}: generation {number} stands")
            if switch:
                self._switch(number, restored=restored)
        finally:
            end.set()
            consumer.join()
        return found

    def _begun(self) -> int:
        def begin() -> int:
            name, version = self._generations.name, self._version
            going_on = self._generations.register(version).unfinished(version)
            one = going_on or self._generations.create(version)
            how = "goes on with" if going_on else "builds"
            self._watcher.say(f"{name}: {how} generation {one.number} of version {version}")
            return one.number

        return self._patiently(begin)

    def _consume(self, number: int, health: Health, end: Flag) -> None:
        structlog.contextvars.bind_contextvars(generation=number)
        try:
            self._shop.consumer(number, health, end).run()
        except Exception as error:  # noqa: BLE001 - told by whoever waits for it
            self._failure = error

    def _fill(self, number: int, health: Health, *, restored: bool) -> None:
        """Until all is in it that the log and the live generation had at the look before."""
        with closing(self._shop.store(number)) as store, closing(self._shop.store(self._live())) as live:
            topic_id = self._patiently(self._shop.ends.topic_id)
            wanted, moved_at, before = None, time.monotonic(), -1
            while True:
                reached = self._patiently(lambda: store.checkpoints(range(PARTITIONS)))
                done, total = done_of(reached, self._patiently(self._shop.ends.ends), topic_id)
                self._watcher.moved(done, total)
                if done != before:
                    before, moved_at = done, time.monotonic()
                if wanted is not None and self._holds(reached, wanted[0], restored=restored):
                    still = time.monotonic() - moved_at > STILL_SECONDS
                    if done >= wanted[1] or (still and all(need.ok for need in health.needs().values())):
                        return
                wanted = (self._patiently(lambda: live.checkpoints(range(PARTITIONS))), total)
                self._pause()

    @staticmethod
    def _holds(reached: dict[int, Checkpoint], live: dict[int, Checkpoint], *, restored: bool) -> bool:
        return restored or all(reached[partition].sequence >= one.sequence for partition, one in live.items())

    def _compare(self, number: int) -> Comparison:
        def look() -> Comparison:
            with closing(self._shop.sides(self._live(), number)) as sides:
                return compare(sides, told=lambda _view, _more: self._check())

        found = self._patiently(look)
        for line in found.lines():
            self._watcher.say(f"{self._generations.name}: {line}")
        return found

    def _switch(self, number: int, *, restored: bool) -> None:
        before, told_at = self._live(), time.monotonic()
        while True:
            try:
                self._patiently(lambda: self._generations.switch(number, restored=restored))
            except BehindError as error:
                if time.monotonic() - told_at > _TELL_PERIOD:
                    told_at = time.monotonic()
                    self._watcher.say(f"{self._generations.name}: waits to switch: {error}")
                self._pause()
            else:
                self._watcher.say(f"{self._generations.name}: readers are shown generation {number}, not {before}")
                return

    def _live(self) -> int:
        return self._patiently(self._generations.registry).live

    def _patiently(self, action: Callable[[], T]) -> T:
        while True:
            self._check()
            try:
                return action()
            except StoreUnavailableError as error:
                self._watcher.say(f"{self._generations.name}: {error}")
                self._pause()

    def _pause(self) -> None:
        self._check()
        self._stop.wait(LOOK_PERIOD)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._stop.is_set():
            raise Stopped
