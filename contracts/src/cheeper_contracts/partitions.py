"""Into how many partitions the topics of commands and events are split, and with them what the stores keep by each."""

from __future__ import annotations

from typing import Final

PARTITIONS: Final = 8
"""Enough for eight processes a role; each costs the stores one checkpoint."""
