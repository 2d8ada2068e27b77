"""What a store of views is to the consumer: a place where messages and their checkpoint land together.

StoreError
├── StoreUnavailableError       the store cannot be reached, or cannot write for now: try again, skip nothing
├── GapError             a message is missing before one of the batch: nothing moved
└── UnappliableError     one message of the batch can never be applied as it is: nothing moved
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec

from projector.consumer.decoding import DecodedMessage
from projector.parked.message import ParkedMessage, parked


class StoreError(Exception):
    """A store did not take a batch."""


class StoreUnavailableError(StoreError):
    """A fault that passes: the text says what is wrong, and holds no secret."""


class GapError(StoreError):
    """The batch does not continue the store's checkpoint."""


class UnappliableError(StoreError):
    """`place` is the message's in the batch, or none where the store cannot tell which one it is."""

    def __init__(self, place: int | None, why: str) -> None:
        super().__init__(why)
        self.place = place


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The last message that a store holds of a partition; sequence 0 before the first.

    `offset` means something in the topic of that id alone; the sequence is the same in any.
    `poison` counts the messages in a row up to here that could not be applied.
    """

    sequence: int = 0
    topic_id: str = ""
    offset: int = -1
    poison: int = 0


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A message and what the store is to write for it; or `poison`, why it cannot be applied and is to be set aside,
    with the digest of the stack where it was decoded, projected or written.
    """

    incoming: DecodedMessage
    writes: tuple[Any, ...] = ()
    poison: str | None = None
    stack_digest: str | None = None

    @property
    def sequence(self) -> int | None:
        """The message's number in its partition; none where it had none to read."""
        return self.incoming.sequence

    @property
    def offset(self) -> int:
        """The message's place in the topic as it is now."""
        return self.incoming.offset

    @property
    def key(self) -> str:
        """The author whose stream it belongs to."""
        return self.incoming.key

    def parked(self, topic_id: str) -> ParkedMessage:
        """The message as it is set aside: as poison, or because it waits behind poison of its key."""
        behind = self.poison is None
        why = "waits behind poison of its key" if self.poison is None else self.poison
        return parked(self.incoming, topic_id, why=why, behind=behind, stack_digest=self.stack_digest)


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one partition in their order. Sequences follow one another; one without any has its place alone."""

    partition: int
    topic_id: str
    items: tuple[Item, ...]


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch.

    `used` of its messages, counted from the first, are in the store now, duplicates among them; the rest comes again.
    `parked` are those that were set aside. The checkpoint is what the store holds after it.
    """

    used: int
    checkpoint: Checkpoint
    parked: tuple[ParkedMessage, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A reader whose timeline could not be written, since its keys are of a wrong type; and whose doing it was, none
    where it was to be refilled. One broken timeline holds up nobody else.
    """

    reader_id: str
    author_id: str | None


class SliceOf(msgspec.Struct, frozen=True, kw_only=True):
    """The fan-out task that a slice is of, known by its cheep's message."""

    sequence: int
    correlation_id: str


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """A slice that was served of an author's first fan-out task, and of those that went with it: each of their cheeps
    went to each of the `served` followers.
    """

    author_id: str
    tasks: tuple[SliceOf, ...]
    served: int
    left_out: tuple[LeftOut, ...]


class Refill(msgspec.Struct, frozen=True, kw_only=True):
    """A step for a short timeline: how many entries it got, and whether more steps follow."""

    reader_id: str
    added: int
    goes_on: bool
    left_out: tuple[LeftOut, ...]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """For people: checkpoints by partition, slices of fan-out and steps of refills that wait, messages set aside."""

    checkpoints: dict[int, Checkpoint]
    tasks: int
    parked: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A cheap count of what waits: authors with fan-out tasks and short timelines, and messages set aside."""

    tasks: int
    parked: int


class Store(Protocol):
    """A store of views. Every method raises StoreUnavailableError while the store is away."""

    @property
    def name(self) -> str:
        """`redis` or `mongo`."""

    def prepare(self) -> None:
        """Makes what the views need (indexes); harmless when it is there."""

    def checkpoints(self, partitions: Sequence[int]) -> dict[int, Checkpoint]:
        """The checkpoints of these partitions."""

    def apply(self, batch: Batch) -> Applied:
        """Writes the batch and its checkpoint in one step, or raises a StoreError and has written nothing."""

    def status(self) -> Status:
        """How far the store is and what waits in it."""

    def waiting(self) -> Waiting:
        """What waits in it. Alone of all methods it may be called from any thread, at any time."""

    def close(self) -> None:
        """Gives its connections back."""


class TaskStore(Protocol):
    """A store that leaves tasks: fan-out, and short timelines to refill.

    Every method raises StoreUnavailableError while the store is away.
    """

    @property
    def name(self) -> str:
        """Which store it is."""

    def checkpoints(self, partitions: Sequence[int]) -> dict[int, Checkpoint]:
        """The checkpoints of these partitions; notes on the way which have tasks."""

    def partitions_with_tasks(self) -> set[int]:
        """Partitions that had tasks when last seen."""

    def serve(self, partition: int) -> Slice | Refill | None:
        """Serves one slice or step of a task of the partition, if there is one."""


class ParkedMessages(Protocol):
    """What a store has set aside. Every method raises StoreUnavailableError while the store is away."""

    @property
    def name(self) -> str:
        """Which store it is."""

    def all(self) -> Iterator[ParkedMessage]:
        """All of them, those of a key in their order."""

    def first_of(self, key: str) -> ParkedMessage | None:
        """The next one of a key to be replayed."""

    def replay(self, message: ParkedMessage, writes: tuple[Any, ...]) -> tuple[LeftOut, ...] | None:
        """Writes these and forgets the message, in one step; none, and nothing done, where it is not its key's first.

        Raises UnappliableError, and has written nothing.
        """

    def drop(self, message: ParkedMessage) -> bool:
        """Forgets the message; false where it is not there any more."""

    def restate(self, message: ParkedMessage, now: ParkedMessage) -> None:
        """Keeps another reason for its key's first message; harmless where it is not that any more."""

    def close(self) -> None:
        """Gives its connections back."""
