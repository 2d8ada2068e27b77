"""How far one consumer is: noted by its thread as plain numbers, a few for each batch, and read by whoever asks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet

from cheeper_contracts.generations import FIRST
from cheeper_contracts.lag import Lag
from projector.consumer.decoding import DecodedMessage
from projector.ops.log_end_history import LogEnds
from projector.stores.base import Checkpoint, Item

_MICROSECONDS = 1_000_000


class Progress:
    """Of one store and generation. Only its consumer's thread writes; every number is written in one step."""

    def __init__(
        self,
        store: str,
        generation: int = FIRST,
        owned: Callable[[], AbstractSet[int]] = frozenset,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.generation = generation
        self.owned = owned
        self.sequences: dict[int, int] = {}
        self.gaps: set[int] = set()
        self.applied = self.duplicates = self.unknown = self.parked = 0
        self.retries: Counter[str] = Counter()
        self._clock = clock
        self._began = clock()
        self._next: dict[int, int] = {}  # the first offset that is not done
        self._in_hand: dict[int, int] = {}  # when the first message that was read and not applied was committed
        self._last: dict[int, int] = {}  # when the last message that was applied was

    def placed(self, partition: int, stored: Checkpoint, topic_id: str) -> None:
        """Reading begins where the store is, in the topic of that id."""
        self.sequences[partition] = stored.sequence
        self._next[partition] = stored.offset + 1 if stored.topic_id == topic_id else 0
        self._in_hand.pop(partition, None)

    def keeps(self, owned: AbstractSet[int]) -> None:
        """Of other partitions nothing is known any more: another process goes on with them."""
        for noted in (self._next, self._in_hand, self._last):
            for partition in noted.keys() - owned:
                del noted[partition]

    def reads(self, partition: int, found: Iterable[DecodedMessage], fresh: list[DecodedMessage]) -> None:
        """These were read, of which these are new."""
        known = self.sequences.get(partition, 0)
        for each in found:
            if each.sequence is not None and each.sequence <= known:
                self.duplicates += 1
            elif each.sequence == known + 1:
                known += 1
        self.holds(partition, fresh[0] if fresh else None)

    def holds(self, partition: int, first: DecodedMessage | None) -> None:
        """The first message that was read and waits for the store; none where all was applied."""
        if first is not None and first.envelope is not None:
            self._in_hand[partition] = first.envelope.time
        else:
            self._in_hand.pop(partition, None)

    def settled(self, partition: int, new: Iterable[Item], parked: AbstractSet[int], sequence: int) -> None:
        """The store has these now, those at the offsets `parked` set aside, and is at that sequence."""
        for item in new:
            incoming = item.incoming
            if incoming.offset in parked:
                self.parked += 1
            elif incoming.event is None:
                self.unknown += 1
            else:
                self.applied += 1
            if incoming.envelope is not None:
                self._last[partition] = incoming.envelope.time
        self.sequences[partition] = sequence

    def took(self, partition: int, last: DecodedMessage, *, whole: bool, gap: bool) -> None:
        """All that was read up to there was seen to; with `whole` nothing is missing before it."""
        if whole:
            self._next[partition] = max(self._next.get(partition, 0), last.offset + 1)
        (self.gaps.add if gap else self.gaps.discard)(partition)

    def retried(self, error: Exception) -> None:
        """The store did not take something, for a reason that passes."""
        self.retries[type(error.__cause__ or error).__name__] += 1

    def behind(self, partition: int, ends: LogEnds) -> Lag:
        """How late the store is in a partition, as of now.

        What was read tells its own age. What was not, because the store is away or something is missing before it, has
        at least the age since it was seen in the log.
        """
        now, offset, end = self._clock(), self._next.get(partition), ends.end(partition)
        if offset is None or end is None:
            return Lag(None, now - self._began)
        messages = max(0, end - offset)
        committed = self._in_hand.get(partition)
        if committed is not None:
            return Lag(max(1, messages), max(0.0, now - committed / _MICROSECONDS))
        seen = ends.since(partition, offset)
        if seen is None:
            return Lag(0, 0.0)
        since, may_be_older = seen
        if may_be_older and partition in self._last:
            since = min(since, self._last[partition] / _MICROSECONDS)
        return Lag(messages, max(0.0, now - since))
