from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from write_api.domain import values
from write_api.domain.errors import CannotBlockSelf
from write_api.domain.values import Identifier


@dataclass(slots=True, kw_only=True)
class Block:
    """A block of one author by another: the pair is its identity. Times are in microseconds since the epoch, UTC."""

    author_id: Identifier
    blocked_id: Identifier
    blocked_at: int
    ended_at: int | None = None

    @classmethod
    def begin(cls, given: Mapping[str, str | None], now: int) -> Self:
        """Make the block of these fields. Raise Invalid or CannotBlockSelf."""
        block = cls(**values.checked(given, now), blocked_at=now)
        refuse_self(block.author_id, block.blocked_id)
        return block

    def end(self, now: int) -> None:
        """End the block."""
        self.ended_at = now


def refuse_self(author_id: str, blocked_id: str) -> None:
    """Raise CannotBlockSelf if both are the same author."""
    if author_id == blocked_id:
        raise CannotBlockSelf
