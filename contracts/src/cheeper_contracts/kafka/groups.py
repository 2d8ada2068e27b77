"""The names of consumer groups, by which a broker decides who may be a member of which."""

from __future__ import annotations

from typing import Final

PROJECTOR: Final = "projector."
"""The beginning of the name of each role that has one group for each store and generation."""


def consumer_group(role: str, prefix: str = "") -> str:
    """Return the group of a role's processes on a broker that several installations share, each with its prefix."""
    return f"{prefix}cheeper.{role}"
