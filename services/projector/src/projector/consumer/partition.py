"""All that a consumer knows of one partition: the store's checkpoint, what is in flight, and what is missing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from cheeper_contracts.ids import gateway_milliseconds_of
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.views.lag import Lag
from cheeper_runtime.metrics.observations import Observations
from cheeper_runtime.traces.traceparent import ids
from projector.consumer.projecting import refused_by_store
from projector.kafka.log_end import LogEndHistory
from projector.messages.decoding import DecodedMessage
from projector.messages.parked import ParkedMessage
from projector.stores.base import Applied, Checkpoint, Item, UnappliableError

_MICROSECONDS = 1_000_000
_MILLISECONDS = 1_000
VISIBLE_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
TASK_KINDS: Final = ("slice", "refill")
_LONGEST_REQUEST: Final = 3600.0
"""A client can repeat a command with the message id of an earlier response. Beyond an hour it was no wait of ours."""
APPLY_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Search(IntEnum):
    """The range that was read last in search of a missing message."""

    NONE = 0
    FROM_CHECKPOINT = 1
    FROM_BEGINNING = 2  # the last one: after it the consumer reads on until the relay has sent the message again


class Counts:
    """Counters of one consumer over all its partitions. Any thread may read them.

    `visible` has the seconds from the transaction of each applied event to the store's acknowledgement,
    `requested` those from the request of its command, where the gateway wrote the time into the id. `applying` has
    those of each call of the store, `tasks` those of each step of a task by its kind.
    """

    def __init__(self) -> None:
        self.applied = self.duplicates = self.unknown = self.parked = 0
        self.retries: Counter[str] = Counter()
        self.visible = Observations(VISIBLE_BUCKETS)
        self.requested = Observations(VISIBLE_BUCKETS)
        self.applying = Observations(APPLY_BUCKETS)
        self.tasks = {kind: Observations(APPLY_BUCKETS) for kind in TASK_KINDS}


class Acknowledged(NamedTuple):
    """The messages that are new to the store, those among them that it parked by offset, and the last offset of all."""

    new: list[Item]
    parked: dict[int, ParkedMessage]
    last_offset: int


class Partition:
    """One partition of the log and one store.

    Only the consumer's thread calls what changes it: `start`, then for each poll `select`, `begin` and, until nothing
    is in flight, `acknowledge`, then `end`. All of them compare with the checkpoint, so messages of an earlier poll
    that come too late are duplicates or a gap, and do no harm. Any thread may call `lag`.
    """

    def __init__(self, number: int, counts: Counts | None = None, clock: Callable[[], float] = time.time) -> None:
        self.number = number
        self.checkpoint = Checkpoint()
        self.search = Search.NONE
        self.in_flight: list[Item] = []
        self._size = 0  # how many of them the store is given at once
        self._counts = counts or Counts()
        self._clock = clock
        self._assigned_at = clock()
        self._next_offset: int | None = None  # the first one that is not done; None before the start
        self._applied_at: int | None = None  # when the last applied message was committed, in microseconds
        self._gap = False

    @property
    def started(self) -> bool:
        """True once the store's checkpoint is known."""
        return self._next_offset is not None

    @property
    def missing(self) -> int | None:
        """The sequence that is missing in the log, if one is."""
        return None if self.search is Search.NONE else self.checkpoint.sequence + 1

    def start(self, stored: Checkpoint, topic_id: str) -> int | None:
        """Begin at the store's checkpoint. Return the offset to read from, or None for the topic's beginning."""
        self.checkpoint, self.in_flight, self._gap = stored, [], False
        known = stored.topic_id == topic_id
        self._next_offset = stored.offset + 1 if known else 0
        return stored.offset + 1 if known and self.search is not Search.FROM_BEGINNING else None

    def select(self, messages: Sequence[DecodedMessage]) -> list[DecodedMessage]:
        """Return the messages that continue the checkpoint, and note whether one is missing before the others.

        Nothing after a gap is selected, unless the whole log is searched for what is missing. A message without a
        sequence is selected, because the store knows it by its offset.
        """
        selected, last, self._gap = [], self.checkpoint.sequence, False
        for message in messages:
            if message.sequence is None:
                selected.append(message)
            elif message.sequence == last + 1:
                selected.append(message)
                last = message.sequence
            elif message.sequence <= last:
                self._counts.duplicates += 1
            else:
                self._gap = True
                if self.search is not Search.FROM_BEGINNING:
                    break
        return selected

    def relocated(self, messages: Sequence[DecodedMessage], topic_id: str) -> list[DecodedMessage]:
        """Return the checkpoint's message if it is among these and they are of another topic than the checkpoint.

        It is a duplicate for the store, from which the checkpoint gets its offset in the topic that was filled again.
        """
        if self.checkpoint.topic_id == topic_id:
            return []
        return [message for message in messages if message.sequence == self.checkpoint.sequence][:1]

    def begin(self, items: list[Item]) -> None:
        """Put these in flight: the store is to apply them next."""
        self.in_flight = items
        self._size = len(items)

    @property
    def next_items(self) -> list[Item]:
        """The messages in flight that the store is to be given next."""
        return self.in_flight[: self._size]

    def refuse(self, error: UnappliableError) -> None:
        """Turn a message in flight into poison, since the store cannot apply it. If the store does not know which one
        it is, they go one by one from now on.
        """
        if error.index is None and self._size > 1:
            self._size = 1
        else:
            index = error.index or 0
            self.in_flight[index] = refused_by_store(self.in_flight[index].message, error)

    def acknowledge(self, applied: Applied) -> Acknowledged:
        """Take what the store applied or parked out of flight, and move to its checkpoint."""
        before = self.checkpoint.sequence
        done, self.in_flight = self.in_flight[: applied.used], self.in_flight[applied.used :]
        new = [item for item in done if item.sequence is None or item.sequence > before]
        parked = {one.offset: one for one in applied.parked if one.sequence is None or one.sequence > before}
        self.checkpoint = applied.checkpoint
        if applied.checkpoint.sequence > before:
            self.search = Search.NONE
        now = self._clock()
        for item in new:
            if item.offset in parked:
                self._counts.parked += 1
            elif item.message.event is None:
                self._counts.unknown += 1
            else:
                self._counts.applied += 1
            if item.message.envelope is None:
                continue
            self._applied_at = item.message.envelope.time
            if item.message.event is not None and item.offset not in parked:
                self._observe(item.message.envelope, now)
        return Acknowledged(new, parked, done[-1].offset)

    def _observe(self, envelope: Envelope, now: float) -> None:
        """Observe how long an applied event took to be visible: since its transaction, and since the request."""
        trace_id, _ = ids(envelope.traceparent)
        self._counts.visible.observe(max(0.0, now - envelope.time / _MICROSECONDS), trace_id)
        requested = None if envelope.reply_to is None else gateway_milliseconds_of(envelope.reply_to)
        if requested is not None and 0.0 <= (waited := now - requested / _MILLISECONDS) <= _LONGEST_REQUEST:
            self._counts.requested.observe(waited, trace_id)

    def miss(self) -> None:
        """Note that the store reported a gap before the messages in flight."""
        self._gap = True

    def end(self, last_offset: int) -> bool:
        """End the poll whose last message had that offset. Return True if a missing message is to be sought elsewhere:
        the partition is to be started again.
        """
        if self._gap:
            sought = self.search is not Search.FROM_BEGINNING
            self.search = Search(self.search + 1) if sought else self.search
            return sought
        if self.search is Search.NONE and self._next_offset is not None:
            self._next_offset = max(self._next_offset, last_offset + 1)
        return False

    def lag(self, ends: LogEndHistory) -> Lag:
        """Return by how much the store lags here now.

        The age of the first message in flight is known from the message. A message that was not read, because the store
        is unavailable or something is missing before it, has at least the age since it was seen in the log.
        """
        now, offset, end = self._clock(), self._next_offset, ends.end(self.number)
        if offset is None or end is None:
            return Lag(None, now - self._assigned_at)
        messages = max(0, end - offset)
        committed = self._committed_at()
        if committed is not None:
            return Lag(max(1, messages), max(0.0, now - committed / _MICROSECONDS))
        seen = ends.since(self.number, offset)
        if seen is None:
            return Lag(0, 0.0)
        since, may_be_older = seen
        if may_be_older and self._applied_at is not None:
            since = min(since, self._applied_at / _MICROSECONDS)
        return Lag(messages, max(0.0, now - since))

    def _committed_at(self) -> int | None:
        """Return when the first message in flight that the store lacks was committed, in microseconds."""
        sequence = self.checkpoint.sequence
        for item in self.in_flight:
            if item.sequence is None or item.sequence > sequence:
                return item.message.envelope.time if item.message.envelope else None
        return None
