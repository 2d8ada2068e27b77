"""The threads of a process: one for each generation that the registries of its stores name, and others.

The registries are polled every second: a generation that becomes active gets its thread and one that is being deleted
loses it, without a restart. A failure in one thread stops no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Event as Flag
from threading import Thread
from typing import Final, NamedTuple

import structlog

from cheeper_contracts.views.generations import FIRST
from cheeper_runtime.dead_letters.poison_limit import TooMuchPoisonError
from cheeper_runtime.readiness.needs import Readiness
from projector.stores.base import StoreUnavailableError
from projector.stores.registry import ForgottenError, Generation, Generations, Registry, State

log = structlog.get_logger()

POLL_PERIOD: Final = 1.0
DRAIN_SECONDS: Final = 9.0
_TICK: Final = 0.1
_PART: Final = "registry"

Start = Callable[[str, int, Readiness, Flag], Callable[[], None]]
"""Makes what a thread runs for a generation of the named store, until the flag is set."""


class Wanted(NamedTuple):
    """The generations that this process serves, and the reason if it cannot serve the store."""

    numbers: frozenset[int]
    reason: str | None = None


def every_active(registry: Registry, store: str, version: int) -> Wanted:
    """Choose all active generations of this version of the projections."""
    ours = [one for one in registry.generations.values() if one.version == version and one.state != State.DELETING]
    active = frozenset(one.number for one in ours if one.state == State.ACTIVE)
    if active:
        return Wanted(active)
    building = [f"generation {one.number} of version {version} is being built" for one in ours]
    if building:
        return Wanted(active, building[0])
    return Wanted(active, f"{_other(registry.of(registry.live), version)}: run `projector rebuild --store {store}`")


def only(number: int | None) -> Callable[[Registry, str, int], Wanted]:
    """Return what chooses that generation alone, by default the live one."""

    def choose(registry: Registry, store: str, version: int) -> Wanted:
        wanted = registry.live if number is None else number
        one = registry.generations.get(wanted)
        if one is None or one.state == State.DELETING:
            return Wanted(frozenset(), f"there is no generation {wanted}")
        if one.version != version:
            hint = f": run `projector rebuild --store {store}`" if number is None else ""
            return Wanted(frozenset(), _other(one, version) + hint)
        return Wanted(frozenset({wanted}))

    return choose


class _Running(NamedTuple):
    thread: Thread
    stop: Flag
    readiness: Readiness


class GenerationSupervisor:
    """Runs the threads of a process. With `once` each generation is served once, and the process ends with the last."""

    def __init__(  # noqa: PLR0913 - what the command line puts together
        self,
        registries: Iterable[Generations],
        *,
        versions: Mapping[str, int],
        choose: Callable[[Registry, str, int], Wanted],
        start: Start,
        readiness: Readiness,
        stop: Flag,
        once: bool = False,
    ) -> None:
        self._registries = {one.name: one for one in registries}
        self._versions = versions
        self._choose = choose
        self._start = start
        self._readiness, self._registry = readiness, readiness.part(_PART)
        self._stop = stop
        self._once = once
        self._live: dict[str, int] = {}
        self._running: dict[tuple[str, int], _Running] = {}
        self._others: list[Thread] = []
        self._failed, self._stopped_one = Flag(), Flag()
        for name in self._registries:
            self._registry.expect(name)

    def beside(self, name: str, run: Callable[[], None]) -> None:
        """Run something else in a thread of its own. The process ends if it fails."""
        self._others.append(Thread(target=self._guard, args=(name, FIRST, run, None), name=name, daemon=True))

    def run(self) -> bool:
        """Run until stopped or a failure, or with `once` until all have ended. Return True if all went well."""
        for thread in self._others:
            thread.start()
        due = 0.0
        try:
            while not self._stop.is_set() and not (self._once and self._all_done()):
                if time.monotonic() >= due:
                    due = time.monotonic() + POLL_PERIOD
                    self._poll()
                self._stop.wait(_TICK)
        finally:
            for registry in self._registries.values():
                registry.close()
        return self._drain() and not self._failed.is_set() and not self._stopped_one.is_set()

    def _poll(self) -> None:
        for name, generations in self._registries.items():
            if self._once and name in self._live:
                continue
            try:
                registry = generations.register(self._versions[name])
            except StoreUnavailableError as error:
                self._registry.failed(name, str(error))
                continue
            wanted = self._choose(registry, name, self._versions[name])
            self._registry.report(name, wanted.reason)
            if self._once and wanted.reason:
                log.error("cannot run", store=name, reason=wanted.reason)
                self._stopped_one.set()
            self._live[name] = registry.live
            self._follow(name, wanted.numbers)

    def _follow(self, name: str, wanted: frozenset[int]) -> None:
        for key, running in list(self._running.items()):
            store, number = key
            if store == name and number not in wanted:
                running.stop.set()
                if not running.thread.is_alive():
                    running.readiness.withdraw()
                    self._running.pop(key, None)
        for number in sorted(wanted):
            if (name, number) not in self._running:
                self._begin(name, number)

    def _begin(self, name: str, number: int) -> None:
        stop = Flag()
        label = name if number == FIRST else f"{name} generation {number}"
        readiness = self._readiness.part(label, label="" if number == FIRST else f"generation {number}")
        run = self._start(name, number, readiness, stop)
        thread = Thread(target=self._guard, args=(name, number, run, readiness), name=label, daemon=True)
        self._running[name, number] = _Running(thread, stop, readiness)
        log.info("serving", store=name, generation=number)
        thread.start()

    def _guard(self, name: str, number: int, run: Callable[[], None], readiness: Readiness | None) -> None:
        """Run a thread's work, and decide what its end means for the process.

        Too much poison ends one thread alone, and readiness gives the reason: a process that ended would be restarted,
        to meet the same messages, and would stop the others too. Any other failure ends the process, which its runner
        restarts, unless no reader sees the generation.
        """
        if number != FIRST:
            structlog.contextvars.bind_contextvars(generation=number)
        try:
            run()
        except ForgottenError:
            log.info("forgotten", store=name, generation=number)
            # A store that is restored to a time before it was forgotten is served again.
            self._running.pop((name, number), None)
            if readiness is not None:
                readiness.withdraw()
        except TooMuchPoisonError as error:
            (readiness or self._readiness).failed(f"{name}_views", str(error))
            log.error(  # noqa: TRY400 - its text says all
                "stopped: remove the cause and restart it", store=name, reason=str(error), last_error=error.last_error
            )
            self._stopped_one.set()
        except Exception as error:
            if readiness is not None and number != self._live.get(name):
                log.exception("failed: the others go on", store=name)
                readiness.failed(f"{name}_views", f"failed: {type(error).__name__}")
                self._stopped_one.set()
                return
            log.exception("failed: the process ends", store=name)
            self._failed.set()
            self._stop.set()

    def _all_done(self) -> bool:
        return self._live.keys() == self._registries.keys() and not any(
            running.thread.is_alive() for running in list(self._running.values())
        )

    def _drain(self) -> bool:
        running = list(self._running.values())
        for one in running:
            one.stop.set()
        deadline, in_time = time.monotonic() + DRAIN_SECONDS, True
        for thread in [*(one.thread for one in running), *self._others]:
            thread.join(max(0, deadline - time.monotonic()))
            if thread.is_alive():
                log.error("did not stop in time", store=thread.name)
                in_time = False
        return in_time


def _other(one: Generation, version: int) -> str:
    return f"generation {one.number} is of version {one.version} and this code is version {version}"
