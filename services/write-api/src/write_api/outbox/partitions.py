"""The partitions of the outbox: one per calendar month (UTC), created months ahead, dropped by retention.

A row of a month without a partition goes to `outbox_default`, so that no insert fails for that reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

MONTHS_AHEAD: Final = 3

LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"
"""Run this first: creating a partition locks the outbox for a moment, and writers must not queue behind a long wait."""

DROP_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '50ms'"
"""The same for dropping a partition, which can wait: while it waits for one writer, later writers queue behind it."""

_NAME: Final = re.compile(r"outbox_(\d{4})_(0[1-9]|1[0-2])")


def statements(now: datetime) -> list[str]:
    """Return the DDL that creates the partitions of this month and the next ones if they are missing."""
    months = _months(now.astimezone(UTC), MONTHS_AHEAD + 2)
    return [
        f"CREATE TABLE IF NOT EXISTS outbox_{first:%Y_%m} PARTITION OF outbox"
        f" FOR VALUES FROM ('{first.isoformat()}') TO ('{following.isoformat()}')"
        for first, following in pairwise(months)
    ]


def ended_before(names: Iterable[str], now: datetime, days: int) -> list[str]:
    """Return the names of the partitions whose month ended at least that many days ago, oldest first.

    The default partition, and any with an unknown name, never ends.
    """
    ended = []
    for match in filter(None, map(_NAME.fullmatch, names)):
        _, end = _months(datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC), 2)
        if end <= now - timedelta(days=days):
            ended.append(match[0])
    return sorted(ended)


def _months(now: datetime, count: int) -> Iterator[datetime]:
    for month in range(now.month - 1, now.month - 1 + count):
        yield datetime(now.year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
