"""The outbox's partitions: one a calendar month (UTC), made well ahead of their time, dropped where a retention is set.

A row whose month has none goes to `outbox_default`, so that no insert ever fails for want of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

MONTHS_AHEAD: Final = 3

LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"
"""To be set first: making a partition locks the outbox for a moment, and must not queue writers behind a long one."""

DROP_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '50ms'"
"""The same for dropping one, which is in no hurry: while it waits for a writer, later writers wait behind it."""

_NAME: Final = re.compile(r"outbox_(\d{4})_(0[1-9]|1[0-2])")


def statements(now: datetime) -> list[str]:
    """The DDL that makes the partitions of this month and the next ones, where they are missing."""
    months = _months(now.astimezone(UTC), MONTHS_AHEAD + 2)
    return [
        f"CREATE TABLE IF NOT EXISTS outbox_{first:%Y_%m} PARTITION OF outbox"
        f" FOR VALUES FROM ('{first.isoformat()}') TO ('{following.isoformat()}')"
        for first, following in pairwise(months)
    ]


def ended_before(names: Iterable[str], now: datetime, days: int) -> list[str]:
    """Those of the partitions, oldest first, whose month ended at least so many days ago. The default one never does,
    nor does one that is not named as ours are.
    """
    ended = []
    for found in filter(None, map(_NAME.fullmatch, names)):
        _, end = _months(datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC), 2)
        if end <= now - timedelta(days=days):
            ended.append(found[0])
    return sorted(ended)


def _months(now: datetime, count: int) -> Iterator[datetime]:
    for month in range(now.month - 1, now.month - 1 + count):
        yield datetime(now.year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
