"""The comparison of a good client's service with and without an attack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from cheeper_e2e.hostile.attack.attacker import Strikes
from cheeper_e2e.hostile.attack.attacks.base import Attack
from cheeper_e2e.hostile.attack.good_client import Service
from cheeper_e2e.hostile.attack.watch import Watched

MOST_RATIO: Final = 2.0
FLAT_BYTES: Final = 32 * 2**20
FLAT_FACTOR: Final = 1.25
"""Memory is flat if no process grows beyond both of these: buffers of what is under way may come and go."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """An attack: the windows without it, the windows with it, what it did, and how the processes took it."""

    attack: Attack
    without: Service
    under: Service
    strikes: Sequence[Strikes]
    seconds: float
    """of all windows with the attack"""
    watched: Watched

    @property
    def ratio(self) -> float:
        """The p99 under attack divided by the one without."""
        return self.under.p99() / self.without.p99() if self.without.p99() else 0.0


def faults(result: Result, *, judge_speed: bool) -> list[str]:
    """Return a sentence for each promise that an attack broke."""
    found = []
    if result.without.refused:
        found.append(f"{len(result.without.refused)} requests failed without an attack: {result.without.complaint()}")
    if result.under.refused:
        found.append(f"{len(result.under.refused)} good requests failed: {result.under.complaint()}")
    if not sum(each.begun for each in result.strikes):
        found.append("nothing was attacked")
    if result.watched.not_ready:
        found.append(f"not ready: {result.watched.not_ready[0]}")
    found += result.watched.restarted
    name, grown, factor = result.watched.growth()
    if grown > FLAT_BYTES and factor > FLAT_FACTOR:
        found.append(f"{name} grew by {grown / 2**20:.0f} MiB to {factor:.2f} times its memory")
    if judge_speed and result.ratio > MOST_RATIO:
        found.append(f"the p99 is {result.ratio:.1f} times that without the attack")
    return found
