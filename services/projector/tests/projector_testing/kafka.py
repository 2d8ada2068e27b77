"""A topic in memory, and one consumer's assignment of it, with the interface of projector.kafka.assignment."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

from cheeper_contracts.partitions import PARTITIONS
from projector.kafka.assignment import BEGINNING


class FakeTopic:
    """A log by partition. `wipe` makes it anew under another id; `expire` deletes the oldest messages."""

    def __init__(self):
        self._ids = count(1)
        self.wipe()

    def wipe(self):
        self.topic_id = f"topic {next(self._ids)}"
        self.log = {partition: [] for partition in range(PARTITIONS)}
        self.first = dict.fromkeys(range(PARTITIONS), 0)

    def expire(self, partition, messages):
        self.first[partition] += messages

    def send(self, messages):
        for message in messages:
            log = self.log[message.partition()]
            log.append(message.at(len(log)))


class FakeAssignment:
    """All partitions of a topic are assigned at first. `batch` is how many messages of a partition one poll returns.

    A poll or a pause in which nothing can be done calls `idle_actions` one by one. After the last one `stop` is set, so
    that a test ends as soon as the consumer is idle.
    """

    def __init__(self, topic, stop, *, batch=500):
        self._topic = topic
        self._stop = stop
        self._batch = batch
        self._next = {}
        self.topic = SimpleNamespace(topic_id=topic.topic_id)
        self.error = None
        self.idle_actions = []
        self.stored_offsets = {}
        self.closed = False
        self.assign(range(PARTITIONS))

    def assign(self, partitions):
        """Rebalance: the group assigns these partitions, and no others."""
        self.assigned, self.paused, self.out_of_range = set(partitions), set(partitions), set()
        self._next = {}
        self.joined = True

    def poll_topic(self):
        replaced = self.topic.topic_id != self._topic.topic_id
        if replaced:
            self.topic.topic_id = self._topic.topic_id
            self.pause(self.assigned)
        return replaced

    def poll(self, _seconds):
        found = {}
        for partition, offset in list(self._next.items()):
            log, first = self._topic.log[partition], self._topic.first[partition]
            start = first if offset == BEGINNING else offset
            if start < first or start > len(log):
                self.pause([partition])
                self.out_of_range.add(partition)
                continue
            if messages := log[start : start + self._batch]:
                found[partition] = messages
                self._next[partition] = start + len(messages)
        if not found and not self.paused:
            self._next_action()
        return found

    def read_from(self, offsets):
        ours = {partition: offset for partition, offset in offsets.items() if partition in self.assigned}
        self._next |= ours
        self.paused -= set(ours)
        self.out_of_range -= set(ours)

    def pause(self, partitions):
        for partition in set(partitions) & self.assigned:
            self.paused.add(partition)
            self._next.pop(partition, None)

    def idle(self, _seconds):
        self._next_action()

    def store_offset(self, partition, offset):
        if partition in self._next:
            self.stored_offsets[partition] = offset + 1

    def close(self):
        self.closed = True

    def _next_action(self):
        if self.idle_actions:
            self.idle_actions.pop(0)()
        else:
            self._stop.set()


class FakeDeadLetters:
    """The copies of parked messages, in memory."""

    def __init__(self):
        self.copies = []
        self.closed = False

    def copy(self, message, store):
        self.copies.append((store, message))

    def poll(self):
        pass

    def close(self):
        self.closed = True
