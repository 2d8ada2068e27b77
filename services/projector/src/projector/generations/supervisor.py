"""What a process does at the same time, a thread for each: generations of stores as their registries say, and others.

The registries are looked at every second: a generation that begins to stand gets its thread, one that is being
forgotten loses it, without a restart. Trouble in one thread holds up no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Event as Flag
from threading import Thread
from typing import Final, NamedTuple

import structlog

from cheeper_contracts.generations import FIRST
from cheeper_runtime.poison_limit import TooMuchPoisonError
from projector.generations.registry import ForgottenError, Generation, Generations, Registry
from projector.ops.health import Health, PartOfHealth
from projector.stores.base import StoreUnavailableError

log = structlog.get_logger()

LOOK_PERIOD: Final = 1.0
DRAIN_SECONDS: Final = 9.0
_TICK: Final = 0.1
_PART: Final = "registry"

Start = Callable[[str, int, Health, Flag], Callable[[], None]]
"""What a thread runs for a generation of the named store, until the flag is set."""


class Wanted(NamedTuple):
    """Which generations this process serves, and why it cannot serve the store, if so."""

    numbers: frozenset[int]
    why_not: str | None = None


def every_standing(registry: Registry, store: str, version: int) -> Wanted:
    """All that stand and are filled by this version of the projections."""
    ours = [one for one in registry.generations.values() if one.version == version and one.state != "forgetting"]
    standing = frozenset(one.number for one in ours if one.state == "standing")
    if standing:
        return Wanted(standing)
    building = [f"generation {one.number} of version {version} is being built" for one in ours]
    if building:
        return Wanted(standing, building[0])
    return Wanted(standing, f"{_other(registry.of(registry.live), version)}: run `projector rebuild --store {store}`")


def just(number: int | None) -> Callable[[Registry, str, int], Wanted]:
    """One generation, the live one where none is named."""

    def choose(registry: Registry, store: str, version: int) -> Wanted:
        wanted = registry.live if number is None else number
        one = registry.generations.get(wanted)
        if one is None or one.state == "forgetting":
            return Wanted(frozenset(), f"there is no generation {wanted}")
        if one.version != version:
            hint = f": run `projector rebuild --store {store}`" if number is None else ""
            return Wanted(frozenset(), _other(one, version) + hint)
        return Wanted(frozenset({wanted}))

    return choose


class _Running(NamedTuple):
    thread: Thread
    stop: Flag
    health: PartOfHealth


class Serving:
    """The threads of a process. `once`: each generation is served once, and the process ends when all have ended."""

    def __init__(  # noqa: PLR0913 - what the command line puts together
        self,
        registries: Iterable[Generations],
        *,
        versions: Mapping[str, int],
        choose: Callable[[Registry, str, int], Wanted],
        start: Start,
        health: Health,
        stop: Flag,
        once: bool = False,
    ) -> None:
        self._registries = {one.name: one for one in registries}
        self._versions = versions
        self._choose = choose
        self._start = start
        self._health = health
        self._stop = stop
        self._once = once
        self._live: dict[str, int] = {}
        self._running: dict[tuple[str, int], _Running] = {}
        self._others: list[Thread] = []
        self._failed, self._troubled = Flag(), Flag()
        for name in self._registries:
            health.expect(name, _PART)

    def beside(self, name: str, run: Callable[[], None]) -> None:
        """Something else in a thread of its own; where it fails, the process ends."""
        self._others.append(Thread(target=self._guard, args=(name, FIRST, run, None), name=name, daemon=True))

    def run(self) -> bool:
        """Until stopped or a failure, or with `once` until all have ended; whether all went well."""
        for thread in self._others:
            thread.start()
        due = 0.0
        try:
            while not self._stop.is_set() and not (self._once and self._all_done()):
                if time.monotonic() >= due:
                    due = time.monotonic() + LOOK_PERIOD
                    self._look()
                self._stop.wait(_TICK)
        finally:
            for registry in self._registries.values():
                registry.close()
        return self._drain() and not self._failed.is_set() and not self._troubled.is_set()

    def _look(self) -> None:
        for name, generations in self._registries.items():
            if self._once and name in self._live:
                continue
            try:
                registry = generations.register(self._versions[name])
            except StoreUnavailableError as error:
                self._health.say(name, str(error), _PART)
                continue
            wanted = self._choose(registry, name, self._versions[name])
            self._health.say(name, wanted.why_not, _PART)
            if self._once and wanted.why_not:
                log.error("cannot run", store=name, why=wanted.why_not)
                self._troubled.set()
            self._live[name] = registry.live
            self._follow(name, wanted.numbers)

    def _follow(self, name: str, wanted: frozenset[int]) -> None:
        for place, running in list(self._running.items()):
            store, number = place
            if store == name and number not in wanted:
                running.stop.set()
                if not running.thread.is_alive():
                    running.health.withdraw_all()
                    self._running.pop(place, None)
        for number in sorted(wanted):
            if (name, number) not in self._running:
                self._begin(name, number)

    def _begin(self, name: str, number: int) -> None:
        stop = Flag()
        health = PartOfHealth(self._health, "" if number == FIRST else f"generation {number}")
        run = self._start(name, number, health, stop)
        label = name if number == FIRST else f"{name} generation {number}"
        thread = Thread(target=self._guard, args=(name, number, run, health), name=label, daemon=True)
        self._running[name, number] = _Running(thread, stop, health)
        log.info("serving", store=name, generation=number)
        thread.start()

    def _guard(self, name: str, number: int, run: Callable[[], None], health: Health | None) -> None:
        """Too much poison ends one thread alone, and the process stays, its readiness saying why: a process that ended
        would be started again, to meet the same messages, and would hold up the others. A failure ends the process, to
        be started again by its runner, unless it is that of a generation which no reader sees.
        """
        if number != FIRST:
            structlog.contextvars.bind_contextvars(generation=number)
        try:
            run()
        except ForgottenError:
            log.info("forgotten", store=name, generation=number)
            # Out of the list: where a store is put back to when it stood, it is served again.
            self._running.pop((name, number), None)
            if isinstance(health, PartOfHealth):
                health.withdraw_all()
        except TooMuchPoisonError as error:
            (health or self._health).say(f"{name}_views", str(error))
            log.error(  # noqa: TRY400 - its text says all
                "stopped: see to the cause and start it again", store=name, why=str(error), last_error=error.last_error
            )
            self._troubled.set()
        except Exception as error:
            if health is not None and number != self._live.get(name):
                log.exception("failed: the others go on", store=name)
                health.say(f"{name}_views", f"failed: {type(error).__name__}")
                self._troubled.set()
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
