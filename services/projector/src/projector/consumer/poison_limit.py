"""The poison limit of one consumer, applied to the messages that are in flight."""

from __future__ import annotations

from collections.abc import Sequence

from cheeper_runtime.dead_letters.poison_limit import PoisonLimit, TooMuchPoisonError
from projector.consumer.partition import Partition
from projector.stores.base import Item


def within(limit: PoisonLimit, partition: Partition, items: Sequence[Item], store: str) -> tuple[Item, ...]:
    """Return the messages before the one that reaches the limit. Raise TooMuchPoisonError if it is the first one.

    The row of a partition continues that of its checkpoint, so it outlives a restart.
    """
    in_a_row, uncounted = partition.checkpoint.poison, 0
    for index, item in enumerate(items):
        if item.poison is None:
            in_a_row = 0
            continue
        in_a_row, uncounted = in_a_row + 1, uncounted + 1
        reached = limit.reached(in_a_row, uncounted)
        if reached and index == 0:
            raise TooMuchPoisonError(
                f"{reached} cannot be applied to {store} (partition {partition.number})", item.poison
            )
        if reached:
            return tuple(items[:index])
    return tuple(items)
