"""Sequences: pure functions from rows of the outbox to numbered messages, and from deliveries to what was sent last.

A message's number follows from its place in the outbox alone, and so is the same whenever it is sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cheeper_contracts import topics
from cheeper_contracts.envelope import Envelope


class LogWipedError(Exception):
    """Kafka does not hold what it confirmed before. The text says how that was seen."""


class Position(msgspec.Struct, frozen=True):
    """A row's place in the outbox."""

    epoch: int
    xid: int
    id: int


START = Position(0, 0, 0)
"""Before the first row of all."""


class Row(msgspec.Struct, frozen=True):
    """A message in the outbox: its place, its envelope without a sequence, and the bytes of its value."""

    position: Position
    envelope: Envelope
    payload: bytes


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What a Kafka partition was sent last: the offset and sequence, of the topic with that id. Before the first
    message the sequence is 0 and the offset that of whatever stands before it, -1 in an empty log.
    """

    topic_id: str
    last_offset: int
    last_sequence: int


class Numbered(msgspec.Struct, frozen=True):
    """A message as it is to be sent."""

    partition: int
    envelope: Envelope
    payload: bytes


def number(rows: Iterable[Row], sent: Mapping[int, Sent]) -> list[Numbered]:
    """The rows as messages, each with the sequence that follows in its partition."""
    last = {partition: state.last_sequence for partition, state in sent.items()}
    numbered = []
    for row in rows:
        partition = topics.partition_of(row.envelope.key)
        last[partition] += 1
        envelope = msgspec.structs.replace(row.envelope, sequence=last[partition])
        numbered.append(Numbered(partition, envelope, row.payload))
    return numbered


def advance(sent: Mapping[int, Sent], messages: Sequence[Numbered], offsets: Sequence[int]) -> dict[int, Sent]:
    """What the partitions of these messages were sent last, now that they were delivered at these offsets.

    Raises LogWipedError where an offset does not lie behind the one before it.
    """
    moved: dict[int, Sent] = {}
    for message, offset in zip(messages, offsets, strict=True):
        before = moved.get(message.partition) or sent[message.partition]
        if offset <= before.last_offset:
            raise LogWipedError(
                f"partition {message.partition} gave offset {offset} after it had given {before.last_offset}"
            )
        moved[message.partition] = Sent(
            topic_id=before.topic_id, last_offset=offset, last_sequence=before.last_sequence + 1
        )
    return moved
