"""The findings of the readers of stores and topics, and what a tracer requires of them.

Each reader raises StoreUnavailableError, with a sentence that names the server's setting.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal, Protocol

import msgspec

from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.views import CommandRecord
from inspector.failed.messages import FailedReader
from inspector.trace.effects import DocumentRef, KeyRef, RowRef
from inspector.trace.model import Place, Row, View

TopicName = Literal["commands", "events"]


class FoundMessage(msgspec.Struct, frozen=True):
    """A message in Kafka. Its `content` is the JSON of its value, None if that is none; `value` are its bytes."""

    envelope: Envelope
    value: bytes
    place: Place

    @property
    def content(self) -> dict[str, Any] | None:
        """The decoded value, or None if it is no object."""
        try:
            return msgspec.json.decode(self.value, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


Wanted = Callable[[FoundMessage], bool]


class HandledCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A row of handled commands; `xid` is the transaction that recorded the outcome, None if there is no outcome."""

    message_id: str
    key: str
    at: int
    accepted: bool
    outcome: dict[str, Any] | None
    xid: int | None


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the outbox, with the time at which its transaction began; `relayed` says whether it was sent."""

    envelope: Envelope
    value: bytes
    began_at: int
    place: tuple[int, int, int]
    relayed: bool


class Accepted(msgspec.Struct, frozen=True):
    """The record of a command that was read from the topic; `at` is when it was sent."""

    key: str
    type: str
    at: int


class Parked(msgspec.Struct, frozen=True):
    """A parked message of a key: its id, None if it could not be read, and why it is parked."""

    message_id: str | None
    error: str


class StoreState(msgspec.Struct, frozen=True):
    """The live generation of a store, and the last sequence that it has applied in one partition."""

    generation: int
    sequence: int


class WriteModelReader(FailedReader, Protocol):
    """PostgreSQL, in one snapshot."""

    def handled(self, message_ids: Collection[str]) -> dict[str, HandledCommand]:
        """Return the records of handled and reserved commands by message id."""
        ...

    def outbox_row(self, command: HandledCommand) -> OutboxRow | None:
        """Return the outbox's row of a command's event, or None if it is gone."""
        ...

    def rows(self, refs: Sequence[RowRef]) -> tuple[Row, ...]:
        """Return the rows as they are now."""
        ...

    def dead_letters(self, key: str) -> tuple[Parked, ...]:
        """Return the parked messages of a key, in their order."""
        ...

    def author_named(self, username: str) -> str | None:
        """Return the id of the author with that username."""
        ...

    def has_author(self, author_id: str) -> bool:
        """Return whether the author exists."""
        ...

    def newest_cheeps(self, author_id: str, most: int) -> tuple[str, ...]:
        """Return the ids of an author's newest cheeps, deleted ones too."""
        ...

    def cheep_times(self, cheep_id: str) -> tuple[str, tuple[int, ...]] | None:
        """Return a cheep's author, and when it was posted, edited last and deleted; None if it does not exist."""
        ...


class TopicReader(Protocol):
    """Kafka. Each method reads a bounded number of messages."""

    def find(self, topic: TopicName, partition: int, at: int, wanted: Wanted) -> tuple[FoundMessage, ...]:
        """Return the wanted messages near that time, of the first batch that has one."""
        ...

    def newest(self, topic: TopicName, partition: int, wanted: Wanted) -> tuple[FoundMessage, ...]:
        """Return the wanted messages among the newest."""
        ...


class StoreReader(FailedReader, Protocol):
    """One store of views."""

    def state(self, partition: int) -> StoreState:
        """Return the live generation, and its checkpoint of the partition."""
        ...

    def parked(self, key: str) -> tuple[Parked, ...]:
        """Return the parked messages of a key, in their order."""
        ...

    def record(self, message_id: str) -> CommandRecord | None:
        """Return the record of a command, or None if it has expired."""
        ...


class RedisReader(StoreReader, Protocol):
    """The hot views."""

    def accepted(self, message_id: str) -> Accepted | None:
        """Return what is known of an accepted command."""
        ...

    def tasks(self, author_id: str) -> int:
        """Return the number of an author's fan-out tasks."""
        ...

    def shown(self, refs: Sequence[KeyRef]) -> tuple[View, ...]:
        """Return what the keys or documents hold now."""
        ...

    def followers(self, author_id: str) -> tuple[str, ...]:
        """Return some followers of an author."""
        ...


class MongoReader(StoreReader, Protocol):
    """The documents."""

    def shown(self, refs: Sequence[DocumentRef]) -> tuple[View, ...]:
        """Return what the keys or documents hold now."""
        ...


class Readers(msgspec.Struct, frozen=True):
    """The readers of one request."""

    write_model: WriteModelReader
    topics: TopicReader
    redis: RedisReader
    mongo: MongoReader
