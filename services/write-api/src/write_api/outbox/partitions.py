"""The outbox's partitions: one a calendar month (UTC), made well ahead of their time.

A row whose month has none goes to `outbox_default`, so that no insert ever fails for want of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

MONTHS_AHEAD: Final = 3

LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"
"""To be set first: making a partition locks the outbox for a moment, and must not queue writers behind a long one."""


def statements(now: datetime) -> list[str]:
    """The DDL that makes the partitions of this month and the next ones, where they are missing."""
    months = _months(now.astimezone(UTC), MONTHS_AHEAD + 2)
    return [
        f"CREATE TABLE IF NOT EXISTS outbox_{first:%Y_%m} PARTITION OF outbox"
        f" FOR VALUES FROM ('{first.isoformat()}') TO ('{following.isoformat()}')"
        for first, following in pairwise(months)
    ]


def _months(now: datetime, count: int) -> Iterator[datetime]:
    for month in range(now.month - 1, now.month - 1 + count):
        yield datetime(now.year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
