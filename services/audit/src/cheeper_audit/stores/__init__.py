"""The two stores of views, as the auditor needs them."""

from __future__ import annotations

import msgspec


class StoreState(msgspec.Struct, frozen=True):
    """The state of a store: the generation, and the checkpoints' sequences by partition.

    `tasks` counts the authors who have fan-out tasks and the turns of short timelines, `parked` keys in Redis and
    messages in MongoDB. `version` is that of the views, None as long as no projector has registered the generation.
    """

    generation: int
    sequences: dict[int, int]
    tasks: int
    parked: int
    version: int | None = None


class OtherVersionError(Exception):
    """The views are of another version than this audit knows: what it expects of them would be wrong."""


class StoreUnavailableError(Exception):
    """A server cannot be reached, or will not serve, or has no such generation. The text is a sentence that names the
    setting, never its value.
    """
