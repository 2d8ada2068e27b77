from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from write_api.domain import values
from write_api.domain.errors import CannotMuteSelf
from write_api.domain.values import Identifier


@dataclass(slots=True, kw_only=True)
class Mute:
    """A mute of one author by another: the pair is its identity. Times are in microseconds since the epoch, UTC."""

    author_id: Identifier
    muted_id: Identifier
    muted_at: int
    ended_at: int | None = None

    @classmethod
    def begin(cls, given: Mapping[str, str | None], now: int) -> Self:
        """Make the mute of these fields. Raise Invalid or CannotMuteSelf."""
        mute = cls(**values.checked(given, now), muted_at=now)
        refuse_self(mute.author_id, mute.muted_id)
        return mute

    def end(self, now: int) -> None:
        """End the mute."""
        self.ended_at = now


def refuse_self(author_id: str, muted_id: str) -> None:
    """Raise CannotMuteSelf if both are the same author."""
    if author_id == muted_id:
        raise CannotMuteSelf
