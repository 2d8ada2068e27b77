"""The state of the system: processes, topics and stores, and what waits between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from cheeper_audit.lag.snapshot import LagSnapshot
from inspector.attempts import Attempts

PROCESS_MANAGER: Final = "process-manager"


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process, and the sentences of its readiness about what it lacks: None if it has all that it needs.

    Replicas of a role have its name and a number.
    """

    name: str
    role: str
    lacks: tuple[str, ...] | None


class TopicState(msgspec.Struct, frozen=True, kw_only=True):
    """A topic: the number of its messages so far, and how many of them its readers have not handled, by role."""

    name: str
    messages: int
    waiting: dict[str, int] = {}


class Log(msgspec.Struct, frozen=True):
    """The ends of the topics' partitions, and the next offsets of the process managers in the topic of events."""

    commands: dict[int, int]
    events: dict[int, int]
    process_managers: dict[int, int]


class Sources(msgspec.Struct, frozen=True):
    """The functions that read the system. `log` and `worker`, which returns the worker's next offsets, raise
    StoreUnavailableError.
    """

    processes: Callable[[], tuple[Process, ...]]
    lag: Callable[[], LagSnapshot]
    log: Callable[[], Log]
    worker: Callable[[], dict[int, int]]


class SystemState(msgspec.Struct, frozen=True, kw_only=True):
    """The response: `at` is in microseconds since the epoch, and `unavailable` has a sentence for each server."""

    at: int
    processes: tuple[Process, ...]
    topics: tuple[TopicState, ...]
    lag: LagSnapshot
    unavailable: dict[str, str]


def system_state(sources: Sources) -> SystemState:
    """Return the state of the system, of which all parts are read at the same time."""
    attempts = Attempts()
    with ThreadPoolExecutor(3) as pool:
        processes, lag = pool.submit(sources.processes), pool.submit(sources.lag)
        log = pool.submit(sources.log)
        worker = attempts.read("postgres", sources.worker, None)
        read = attempts.read("kafka", log.result, None)
        at = time.time_ns() // 1_000
        for name, why in _unavailable(lag.result()).items():
            attempts.unavailable.setdefault(name, why)
        return SystemState(
            at=at,
            processes=processes.result(),
            topics=() if read is None else _topics(read, worker),
            lag=lag.result(),
            unavailable=attempts.unavailable,
        )


def _topics(log: Log, worker: Mapping[int, int] | None) -> tuple[TopicState, ...]:
    commands = {} if worker is None else {"worker": _behind(log.commands, worker)}
    return (
        TopicState(name="commands", messages=sum(log.commands.values()), waiting=commands),
        TopicState(
            name="events",
            messages=sum(log.events.values()),
            waiting={PROCESS_MANAGER: _behind(log.events, log.process_managers)},
        ),
    )


def _behind(ends: Mapping[int, int], following: Mapping[int, int]) -> int:
    return sum(max(0, end - following.get(partition, 0)) for partition, end in ends.items())


def _unavailable(lag: LagSnapshot) -> dict[str, str]:
    own = {} if lag.unavailable is None else {"postgres": lag.unavailable}
    return own | {name: store.unavailable for name, store in lag.stores.items() if store.unavailable is not None}
