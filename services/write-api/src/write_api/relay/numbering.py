"""Sequences: pure functions from rows of the outbox to numbered messages, and from deliveries to what was sent last.

A message's number follows from its place in the outbox alone, and so is the same whenever it is sent again.

What there is of each message (`gc=False`) is left out by the collector, as it can be part of no cycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cheeper_contracts import topics
from cheeper_contracts.envelope import Envelope


class LogWipedError(Exception):
    """Kafka does not hold what it confirmed before. The text says how that was seen."""


class Position(msgspec.Struct, frozen=True, gc=False):
    """A row's place in the outbox."""

    epoch: int
    xid: int
    id: int


START = Position(0, 0, 0)
"""Before the first row of all."""


class Row(msgspec.Struct, frozen=True, gc=False):
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


class Numbered(msgspec.Struct, frozen=True, gc=False):
    """A message as it is to be sent."""

    partition: int
    envelope: Envelope
    payload: bytes


def sequences(sent: Mapping[int, Sent]) -> dict[int, int]:
    """The last sequence of each partition."""
    return {partition: state.last_sequence for partition, state in sent.items()}


def number(rows: Iterable[Row], last: Mapping[int, int]) -> list[Numbered]:
    """The rows as messages, each with the sequence that follows the last one in its partition."""
    last = dict(last)
    numbered = []
    for row in rows:
        partition = topics.partition_of(row.envelope.key)
        last[partition] += 1
        envelope = msgspec.structs.replace(row.envelope, sequence=last[partition])
        numbered.append(Numbered(partition, envelope, row.payload))
    return numbered


def advance(sent: Mapping[int, Sent], offsets: Mapping[int, Sequence[int]]) -> dict[int, Sent]:
    """What partitions were sent last, now that their next messages were delivered at these offsets.

    Raises LogWipedError where an offset does not lie behind the one before it.
    """
    moved: dict[int, Sent] = {}
    for partition, following in offsets.items():
        before, last = sent[partition], sent[partition].last_offset
        for offset in following:
            if offset <= last:
                raise LogWipedError(f"partition {partition} gave offset {offset} after it had given {last}")
            last = offset
        moved[partition] = Sent(
            topic_id=before.topic_id, last_offset=last, last_sequence=before.last_sequence + len(following)
        )
    return moved
