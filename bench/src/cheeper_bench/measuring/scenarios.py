"""The scenarios in which Cheeper and the SQL-only variant are compared, and where both cost the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from cheeper_bench.measuring.spread import Spread

FOLLOWS: Final = (10, 40, 100, 400, 800)
"""The numbers of authors that a reader follows."""
SHARES: Final = (50, 75, 90, 95, 99)
"""Percent of the requests that read."""
USUAL_FOLLOWS: Final = 100
USUAL_SHARE: Final = 90
BUFFERS: Final = ("128MB", "8MB", "1MB")
"""The buffers of the SQL-only variant's PostgreSQL; the first are those of the others."""
CHEEPER: Final = "Cheeper"
SQL_ONLY: Final = "SQL only"
COST: Final = "CPU ms/request"
RATE: Final = "requests/s"

Sides = Mapping[str, Mapping[str, Spread]]


class Scenario(NamedTuple):
    """A contender and what is asked of it: readers who follow so many, and a share of reads in percent."""

    who: str
    follows: int
    reads: int
    buffers: str = BUFFERS[0]

    @property
    def name(self) -> str:
        """The name of its side."""
        less = "" if self.buffers == BUFFERS[0] else f", buffers {self.buffers}"
        return f"{self.who}, {self.follows} follows, {self.reads}% reads{less}"


def searched(who: str) -> list[Scenario]:
    """Return the scenarios whose highest rate is searched for: one thing differs from the usual in each."""
    by_follows = [Scenario(who, follows, USUAL_SHARE) for follows in FOLLOWS]
    by_share = [Scenario(who, USUAL_FOLLOWS, share) for share in SHARES if share != USUAL_SHARE]
    by_buffers = [Scenario(who, USUAL_FOLLOWS, USUAL_SHARE, each) for each in BUFFERS[1:]] if who == SQL_ONLY else []
    return by_follows + by_share + by_buffers


def ends(who: str) -> list[Scenario]:
    """Return the scenarios of reads alone and of posts alone."""
    return [Scenario(who, follows, reads) for follows in FOLLOWS for reads in (100, 0)]


def median(sides: Sides, scenario: Scenario, figure: str) -> float | None:
    """Return the median of a figure, or None if it was not measured."""
    found = sides.get(scenario.name, {}).get(figure)
    return None if found is None else found.median


def break_even(sides: Sides, follows: int) -> float | None:
    """Return the percent of reads from which on Cheeper takes less CPU than the SQL-only variant.

    It is above 100 where a read costs Cheeper no less, so that no share does, and None if something was not measured.
    A share costs that part of a read and the rest of a post.
    """
    costs = [median(sides, Scenario(who, follows, reads), COST) for who in (CHEEPER, SQL_ONLY) for reads in (100, 0)]
    if any(cost is None for cost in costs):
        return None
    read, post, sql_read, sql_post = (cost or 0.0 for cost in costs)
    saved, added = sql_read - read, post - sql_post
    if added <= 0:
        return 0.0 if saved >= 0 else None
    return float("inf") if saved <= 0 else 100 * added / (added + saved)
