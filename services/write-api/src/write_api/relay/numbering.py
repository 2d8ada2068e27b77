"""Pure functions that number the rows of the outbox, and that advance what each partition was sent last.

The sequence of a message follows from its position in the outbox alone, so it is the same whenever the message is sent
again. Structs of which there is one per message have `gc=False`: they can be part of no cycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.envelope import Envelope


class LogWipedError(Exception):
    """Kafka has lost messages that it acknowledged. The text says how that was found."""


class Position(msgspec.Struct, frozen=True, gc=False, order=True):
    """The position of a row in the outbox, by which rows are ordered."""

    epoch: int
    xid: int
    id: int


START = Position(0, 0, 0)
"""The position before the first row."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """A message in the outbox: its envelope without a sequence, and the bytes of its value."""

    position: Position
    envelope: Envelope
    payload: bytes


class LastSent(msgspec.Struct, frozen=True, kw_only=True):
    """The offset and sequence of the last message that was sent to a partition of the topic with that id.

    Before the first message the sequence is 0, and the offset the one before the high-water mark (-1 in an empty log).
    """

    topic_id: str
    last_offset: int
    last_sequence: int


class NumberedMessage(msgspec.Struct, frozen=True, gc=False):
    """A message that is ready to be sent."""

    partition: int
    envelope: Envelope
    payload: bytes


def sequences(sent: Mapping[int, LastSent]) -> dict[int, int]:
    """Return the last sequence of each partition."""
    return {partition: state.last_sequence for partition, state in sent.items()}


def number(rows: Iterable[Row], last: Mapping[int, int]) -> list[NumberedMessage]:
    """Return the rows as messages, each with the sequence that follows the last one of its partition."""
    last = dict(last)
    numbered = []
    for row in rows:
        partition = topics.partition_of(row.envelope.key)
        last[partition] += 1
        envelope = msgspec.structs.replace(row.envelope, sequence=last[partition])
        numbered.append(NumberedMessage(partition, envelope, row.payload))
    return numbered


def advance(sent: Mapping[int, LastSent], offsets: Mapping[int, Sequence[int]]) -> dict[int, LastSent]:
    """Return the new state of the partitions whose next messages were acknowledged with these offsets.

    Raise LogWipedError if an offset is not greater than the one before it.
    """
    advanced: dict[int, LastSent] = {}
    for partition, following in offsets.items():
        before, last = sent[partition], sent[partition].last_offset
        for offset in following:
            if offset <= last:
                raise LogWipedError(f"partition {partition} gave offset {offset} after it had given {last}")
            last = offset
        advanced[partition] = LastSent(
            topic_id=before.topic_id, last_offset=last, last_sequence=before.last_sequence + len(following)
        )
    return advanced
