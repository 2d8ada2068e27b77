from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FOLLOWS_MAX: Final = 10_000
"""The most authors that one author follows, unless the settings say another number: a page below the floor of a
timeline reads each of them."""
DAY: Final = 24 * 60 * 60 * 1_000_000
"""Microseconds of the day that a quota counts: the last 24 hours, whatever the calendar says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The quotas of one author: the authors that it follows at a time, and the follows that it begins and the cheeps
    that it posts within a DAY, None if these are not limited. What ended or was deleted since counts as well.
    """

    follows: int = FOLLOWS_MAX
    follows_per_day: int | None = None
    posts_per_day: int | None = None


DEFAULT_QUOTAS: Final = Quotas()
