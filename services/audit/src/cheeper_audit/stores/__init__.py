"""The two stores of views, as the auditor needs them."""

from __future__ import annotations

import msgspec


class StoreState(msgspec.Struct, frozen=True):
    """How far a store is: which generation is looked at, the checkpoints' sequences by partition, fan-out tasks that
    wait (authors who have some, and turns of short timelines), and what is parked: keys in Redis, messages in MongoDB.
    """

    generation: int
    sequences: dict[int, int]
    tasks: int
    parked: int


class StoreAwayError(Exception):
    """A server cannot be reached, or will not serve, or has no such generation. The text is a sentence that names the
    setting, never its value.
    """
