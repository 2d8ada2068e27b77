"""The interface between the consumer and a store of views: messages and their checkpoint land together.

StoreError
├── StoreUnavailableError   the store cannot be reached, or cannot write for now: try again, skip nothing
│   └── ConflictError       somebody else has just written what a call was to write
├── GapError                a message is missing before one of the batch: nothing changed
└── UnappliableError        one message of the batch can never be applied as it is: nothing changed
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from cheeper_contracts.views import AcceptedCommand
from cheeper_contracts.views.lag import Lag
from projector.messages.decoding import DecodedMessage
from projector.messages.parked import ParkedMessage, parked
from projector.stores.task_store import LeftOut, TaskStore


class StoreError(Exception):
    """A store did not apply a batch."""


class StoreUnavailableError(StoreError):
    """A fault that passes. The text holds no secret."""


class ConflictError(StoreUnavailableError):
    """Another call won: this one wrote nothing."""


class GapError(StoreError):
    """The batch does not continue the store's checkpoint."""


class UnappliableError(StoreError):
    """`index` is the message's in the batch, or None if the store does not know which one it is."""

    def __init__(self, index: int | None, reason: str) -> None:
        super().__init__(reason)
        self.index = index


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The last message that a store holds of a partition; sequence 0 before the first.

    `offset` is that in the topic of that id; the sequence is the same in any topic. `poison` counts the messages in a
    row up to here that could not be applied.
    """

    sequence: int = 0
    topic_id: str = ""
    offset: int = -1
    poison: int = 0


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A message with what the store is to write for it. If it is poison, `poison` is the reason and `stack_digest` that
    of the stack where it was decoded, projected or written; then the store parks it.
    """

    message: DecodedMessage
    writes: tuple[Any, ...] = ()
    poison: str | None = None
    stack_digest: str | None = None

    @property
    def sequence(self) -> int | None:
        """The message's number in its partition, None if no number could be read."""
        return self.message.sequence

    @property
    def offset(self) -> int:
        """The message's offset in the topic as it is now."""
        return self.message.offset

    @property
    def key(self) -> str:
        """The message's key: parking a message parks the later ones of its key."""
        return self.message.key

    def parked(self, topic_id: str) -> ParkedMessage:
        """Return the message as it is parked: as poison, or because it waits behind poison of its key."""
        reason = "waits behind poison of its key" if self.poison is None else self.poison
        behind = self.poison is None
        return parked(self.message, topic_id, reason=reason, behind=behind, stack_digest=self.stack_digest)


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one partition in their order: their sequences follow one another, or they have none."""

    partition: int
    topic_id: str
    items: tuple[Item, ...]


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a batch that was applied.

    The first `used` messages, duplicates among them, are in the store; the others are to be applied by another call.
    `parked` are those that were parked, by this call or by an earlier one whose response was lost. The checkpoint is
    the store's after the batch. `waiting` is the length of the partition's queue of tasks, which has an entry for each
    author with tasks and one for all refills; at 0 there is nothing to do.
    """

    used: int
    checkpoint: Checkpoint
    parked: tuple[ParkedMessage, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    waiting: int = 0


Outcome = Applied | GapError | UnappliableError
"""The outcome of a batch. Of one that ends with an error nothing is written."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """For operators: checkpoints by partition, slices of fan-out and steps of refills that wait, parked messages."""

    checkpoints: dict[int, Checkpoint]
    tasks: int
    parked: int


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """A cheap count of what waits in a store: keys that have tasks, and parked messages; and the share of the store's
    memory that is used, None if it has no limit.
    """

    tasks: int
    parked: int
    memory: float | None = None


class Store(Protocol):
    """A store of views. Every method raises StoreUnavailableError while the store is unavailable."""

    @property
    def name(self) -> str:
        """The store's name, such as `redis`."""

    @property
    def tasks(self) -> TaskStore | None:
        """Its tasks, or None if it leaves none."""

    def prepare(self) -> None:
        """Create what the views need, such as indexes, unless it exists."""

    def checkpoints(self, partitions: Sequence[int]) -> dict[int, Checkpoint]:
        """Return the checkpoints of these partitions."""

    def apply(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Write each batch, of a partition of its own, and its checkpoint in one step, all together if they fit.

        Return the outcomes of the first ones, of one at least. The others are to be applied by another call. A batch
        that cannot be applied leaves the others as they would be without it.
        """

    def status(self) -> Status:
        """Return the checkpoints and a count of what waits."""

    def backlog(self) -> Backlog:
        """Return a count of what waits. Any thread may call this, at any time, but no other method."""

    def close(self) -> None:
        """Close the store's connections."""


class ParkedMessages(Protocol):
    """The parked messages of a store. Every method raises StoreUnavailableError while the store is unavailable."""

    @property
    def name(self) -> str:
        """The store's name."""

    def all(self) -> Iterator[ParkedMessage]:
        """Yield all of them, those of a key in their order."""

    def first_of(self, key: str) -> ParkedMessage | None:
        """Return the key's message that is to be replayed next."""

    def replay(self, message: ParkedMessage, writes: tuple[Any, ...]) -> tuple[LeftOut, ...] | None:
        """Write these and unpark the message in one step. Return None, and do nothing, if it is not its key's first.

        Raise UnappliableError, and write nothing.
        """

    def drop(self, message: ParkedMessage) -> bool:
        """Remove the message. Return False if it is not parked any more."""

    def restate(self, message: ParkedMessage, now: ParkedMessage) -> None:
        """Replace the key's first message, with another reason, if it is still that one."""

    def close(self) -> None:
        """Close the connections."""


class LagReports(Protocol):
    """The lag reports in a store."""

    def write(self, lags: Mapping[str, Lag]) -> None:
        """Replace these reports, by `report_id` and with the store's time. Raise StoreError."""

    def close(self) -> None:
        """Close the store's connections."""


class AcceptedCommands(Protocol):
    """The store's records of accepted commands. Every method raises StoreUnavailableError while it is unavailable."""

    @property
    def name(self) -> str:
        """The store's name."""

    def prepare(self) -> None:
        """Check that the store answers."""

    def record(self, accepted: Sequence[AcceptedCommand]) -> None:
        """Record each command that is not recorded yet and whose record would not have expired by now."""

    def close(self) -> None:
        """Close the store's connections."""
