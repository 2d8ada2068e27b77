"""Decide what a transaction does with a batch, from the checkpoint that it read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import msgspec

from projector.messages.parked import ParkedMessage
from projector.stores.base import Batch, Checkpoint, GapError, Item


class Plan(NamedTuple):
    """The messages of a batch: the store has the `known`, applies the `applied` and parks the `parked`.

    Behind them are `checkpoint` and `parked_keys`; `stored` is the checkpoint before.
    """

    batch: Batch
    stored: Checkpoint
    known: list[Item]
    applied: list[Item]
    parked: list[ParkedMessage]
    checkpoint: Checkpoint
    parked_keys: frozenset[str]


def plan(batch: Batch, stored: Checkpoint, parked_keys: AbstractSet[str]) -> Plan:
    """Return the plan of a batch. Raise GapError if a message is missing before one of the batch.

    Poison is parked, and so are the messages behind poison of their key that was parked earlier or is in the batch.
    """
    fresh, keys = _fresh(batch, stored), set(parked_keys)
    applied, parked = list[Item](), list[ParkedMessage]()
    for item in fresh:
        if item.poison or item.key in keys:
            keys.add(item.key)
            parked.append(item.parked(batch.topic_id))
        else:
            applied.append(item)
    new = {item.offset for item in fresh}
    return Plan(
        batch=batch,
        stored=stored,
        known=[item for item in batch.items if item.sequence is not None and item.offset not in new],
        applied=applied,
        parked=parked,
        checkpoint=_moved(stored, batch, fresh, {message.offset for message in parked}),
        parked_keys=frozenset(keys),
    )


def checkpoint_of(document: Mapping[str, Any] | None) -> Checkpoint:
    """Return the checkpoint of a document, the first one if there is none."""
    if document is None:
        return Checkpoint()
    return Checkpoint(**{field: document[field] for field in Checkpoint.__struct_fields__ if field in document})


def _fresh(batch: Batch, stored: Checkpoint) -> list[Item]:
    """Return the messages that the store does not have yet. Raise GapError if one is missing before them."""
    fresh, last = [], stored.sequence
    for item in batch.items:
        if item.sequence is None:
            if stored.topic_id != batch.topic_id or item.offset > stored.offset:
                fresh.append(item)
        elif item.sequence > last + 1:
            raise GapError(f"partition {batch.partition} is at sequence {stored.sequence}")
        elif item.sequence == last + 1:
            fresh.append(item)
            last = item.sequence
    return fresh


def _moved(stored: Checkpoint, batch: Batch, fresh: Sequence[Item], waiting: AbstractSet[int]) -> Checkpoint:
    """Return the checkpoint after the fresh messages, or with the last one's new offset if the log was sent again."""
    if not fresh:
        sent_again = [item.offset for item in batch.items if item.sequence == stored.sequence]
        if sent_again and stored.topic_id != batch.topic_id:
            return msgspec.structs.replace(stored, topic_id=batch.topic_id, offset=sent_again[-1])
        return stored
    poison = stored.poison
    for item in fresh:
        if item.poison:
            poison += 1
        elif item.offset not in waiting:
            poison = 0
    return Checkpoint(
        sequence=max([stored.sequence, *(item.sequence for item in fresh if item.sequence)]),
        topic_id=batch.topic_id,
        offset=fresh[-1].offset,
        poison=poison,
    )
