"""The seconds that alerts took in a run of test_alerts.py on two cores, which were busy with much else."""

from __future__ import annotations

from typing import Final

SEEN: Final[dict[str, tuple[int, int]]] = {
    "CheeperClocksDiffer": (6, 2),
    "CheeperCommandObjectiveBurnsFast": (2, 10),
    "CheeperCommandObjectiveBurnsSlowly": (11, 165),
    "CheeperCommandsLost": (7, 1),
    "CheeperCommandsOverdue": (65, 3),
    "CheeperFanOutTasksWait": (38, 6),
    "CheeperHistoryRefused": (7, 1),
    "CheeperMessagesParked": (3, 71),
    "CheeperNotReady": (4, 2),
    "CheeperOutboxBacklogOld": (33, 2),
    "CheeperOutboxBlocked": (33, 2),
    "CheeperOutboxMonthsRetained": (64, 1),
    "CheeperOverloaded": (18, 5),
    "CheeperPartitionsUnassigned": (3, 4),
    "CheeperProcessDown": (3, 7),
    "CheeperProcessMemoryHigh": (17, 2),
    "CheeperQueryObjectiveBurnsFast": (15, 8),
    "CheeperQueryObjectiveBurnsSlowly": (18, 108),
    "CheeperReadersSeeLate": (4, 5),
    "CheeperRelayMissing": (2, 5),
    "CheeperRestarts": (25, 39),
    "CheeperSequenceMissing": (9, 3),
    "CheeperServerErrors": (5, 6),
    "CheeperStaleReads": (10, 5),
    "CheeperStoreMemoryHigh": (13, 6),
    "CheeperViewLate": (13, 3),
    "CheeperWorkerLate": (31, 3),
}
"""By alert: from the beginning of its fault until it fired, and from that of the repair until it was clear."""
