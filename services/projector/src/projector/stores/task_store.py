"""The interface between the fan-out and the store that keeps its tasks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A reader whose timeline could not be written, since its keys are of a wrong type: other readers are served.

    `author_id` is the author of the cheep or follow, None for a refill.
    """

    reader_id: str
    author_id: str | None


class SliceOf(msgspec.Struct, frozen=True, kw_only=True):
    """A fan-out task, known by its cheep's message. `traceparent` is None if that message was not traced."""

    sequence: int
    correlation_id: str
    traceparent: str | None = None


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """A served slice of an author's first fan-out task and of those that went with it: each of their cheeps went to
    each of the `served` followers. `waiting` counts the tasks that still wait in the partition.
    """

    author_id: str
    tasks: tuple[SliceOf, ...]
    served: int
    left_out: tuple[LeftOut, ...]
    waiting: int


class Refill(msgspec.Struct, frozen=True, kw_only=True):
    """A served step for a short timeline, which got `added` entries; more steps follow if it `goes_on`. `waiting`
    counts the tasks that still wait in the partition.
    """

    reader_id: str
    added: int
    goes_on: bool
    left_out: tuple[LeftOut, ...]
    waiting: int


class TaskStore(Protocol):
    """The tasks that a store leaves: fan-out, and short timelines to refill.

    Every method raises StoreUnavailableError while the store is unavailable.
    """

    @property
    def name(self) -> str:
        """The store's name."""

    def partitions_with_tasks(self, partitions: Iterable[int]) -> set[int]:
        """Return those of the partitions that have tasks."""

    def serve(self, partition: int) -> Slice | Refill | None:
        """Serve one slice or step of a task of the partition, or return None if it has none."""
