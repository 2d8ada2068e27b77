"""The partitions of the outbox: one per calendar month (UTC), created months ahead, dropped by retention.

A row of a month without a partition goes to `outbox_default`, so that no insert fails for that reason.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

MONTHS_AHEAD: Final = 3

NOW: Final = "SELECT clock_timestamp()"
"""Months are those of the database's clock, which dates the rows; a process's may be another."""

LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"
"""Run this first: creating a partition locks the outbox for a moment, and writers must not queue behind a long wait."""

DROP_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '50ms'"
"""The same for dropping a partition, which can wait: while it waits for one writer, later writers queue behind it."""

_NAME: Final = re.compile(r"outbox_(\d{4})_(0[1-9]|1[0-2])")


def statements(now: datetime) -> list[str]:
    """Return what creates the partitions of this month and the next ones if they are missing.

    The function belongs to the owner of the outbox, so that others can be let call it.
    """
    return [
        f"SELECT make_outbox_partition('{first:%Y-%m-%d}')" for first in _months(now.astimezone(UTC), MONTHS_AHEAD + 1)
    ]


class Retention(NamedTuple):
    """The partitions whose month ended so long ago that they are to be dropped, and those of which the clock alone says
    so: too few days were seen since. Both are by name, oldest first.
    """

    ended: list[str]
    by_the_clock: list[str]


def retention(names: Iterable[str], now: datetime, days: int, seen: Collection[date]) -> Retention:
    """Return the partitions whose month ended at least that many days ago, and since whose end so many were `seen`.

    A day is seen once the clock showed it while a relay was active. A clock that jumps ahead shows one more day, and be
    it years ahead, so each day of the retention has to pass. The default partition, and any with an unknown name, never
    ends.
    """
    found = Retention([], [])
    for name in sorted(names):
        match = _NAME.fullmatch(name)
        if match is None:
            continue
        _, end = _months(datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC), 2)
        if end <= now - timedelta(days=days):
            enough = sum(end.date() <= day <= now.date() for day in seen) >= days
            (found.ended if enough else found.by_the_clock).append(name)
    return found


def _months(now: datetime, count: int) -> Iterator[datetime]:
    for month in range(now.month - 1, now.month - 1 + count):
        yield datetime(now.year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
