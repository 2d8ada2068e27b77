"""The table of faults: what is broken, which alerts fire until it is repaired, and how it is repaired."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from cheeper_e2e.faults.alerting import database, events, processes, stores
from cheeper_e2e.faults.alerting.scene import Scene

Cause = Callable[[Scene], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """A fault that lasts as long as the block of `cause`, whose end is the repair."""

    cause: Cause
    alerts: frozenset[str]


def _fault(cause: Cause, *alerts: str) -> Fault:
    return Fault(cause, frozenset(f"Cheeper{alert}" for alert in alerts))


@dataclass(frozen=True)
class Stage:
    """Faults that begin before all others and end when their alerts have fired, and lanes beside them: the faults of
    a lane follow each other, and lanes do not disturb each other.
    """

    first: tuple[Fault, ...]
    lanes: tuple[tuple[Fault, ...], ...]


def alerts_of(stage: Stage) -> frozenset[str]:
    """Return the alerts that the faults of a stage fire."""
    return frozenset().union(*(fault.alerts for lane in (stage.first, *stage.lanes) for fault in lane))


LASTING: Final = Stage(
    first=(
        _fault(database.old_month, "OutboxMonthsRetained"),
        _fault(events.lost_commands, "CommandsLost", "CommandsOverdue"),
    ),
    lanes=(
        (
            _fault(stores.full_redis, "StoreMemoryHigh", "ViewLate", "FanOutTasksWait"),
            _fault(stores.no_redis, "NotReady", "ServerErrors", "QueryObjectiveBurnsFast", "QueryObjectiveBurnsSlowly"),
            _fault(events.poison, "MessagesParked"),
        ),
        (
            _fault(database.slow_database, "CommandObjectiveBurnsFast", "CommandObjectiveBurnsSlowly"),
            _fault(database.long_transaction, "OutboxBlocked", "OutboxBacklogOld", "WorkerLate", "Overloaded"),
        ),
        (
            _fault(processes.restarts, "Restarts"),
            _fault(processes.leak, "ProcessMemoryHigh"),
        ),
    ),
)
MISSING: Final = Stage(
    first=(),
    lanes=(
        (
            _fault(database.clock_ahead, "ClocksDiffer"),
            _fault(database.other_database, "HistoryRefused", "RelayMissing"),
        ),
        (_fault(processes.no_projector, "ProcessDown", "PartitionsUnassigned", "ReadersSeeLate", "StaleReads"),),
    ),
)
LOST: Final = Stage(first=(), lanes=((_fault(events.lost_events, "SequenceMissing"),),))
STAGES: Final = {"lasting": LASTING, "missing": MISSING, "lost": LOST}

OF_SPEED: Final = frozenset(
    f"Cheeper{objective}ObjectiveBurns{pace}" for objective in ("Query", "Command") for pace in ("Fast", "Slowly")
)
"""The alerts that may fire before their fault too, since a machine may be slow."""

NOT_CAUSED: Final = {"CheeperDiskFull": "deploy/tests/test_disk_alert.py fills a file system of its own"}
"""The alerts that no fault here fires, each with its reason."""
