"""Where a store's consumer reads: in each partition from the store's checkpoint on, and elsewhere while something is
missing there.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from projector.consumer.positions import Position, Search
from projector.consumer.progress import Progress
from projector.kafka.assignment import BEGINNING, TopicLog
from projector.ops.health import Health
from projector.ops.retry import Persistence
from projector.stores.base import Store

log = structlog.get_logger()

LOOK_PERIOD = 1.0


class Places:
    """The positions of the partitions that the group gave us. Asking the store raises Abandoned once it is not
    `wanted` any more.
    """

    def __init__(  # noqa: PLR0913 - what a consumer is made of
        self,
        *,
        store: Store,
        event_log: TopicLog,
        health: Health,
        persistence: Persistence,
        wanted: Callable[[], bool],
        progress: Progress,
    ) -> None:
        self._store = store
        self._log = event_log
        self._health = health
        self._persistence = persistence
        self._wanted = wanted
        self._progress = progress
        self._views = f"{store.name}_views"
        self._positions: dict[int, Position] = {}
        self._next_look = 0.0
        health.expect("kafka", store.name)
        health.expect(self._views)

    def of(self, partition: int) -> Position:
        """The position in a partition that is read."""
        return self._positions[partition]

    def look_around(self) -> None:
        """Notices another topic, a store put back to an older state, and what is not well."""
        if self._log.look():
            self._positions.clear()
        self._progress.keeps(self._log.owned)
        self._health.say("kafka", self._log.why_not, self._store.name)
        self._health.say(self._views, self._why_not_whole())
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_PERIOD
            self._compare_checkpoints()

    def place_held(self) -> None:
        """Reads on where the store's checkpoints say, in each partition that waits for it."""
        topic_id = self._log.watch.topic_id
        held = sorted(self._log.held)
        if not held or topic_id is None:
            return
        places = {}
        for partition, stored in self._persistence.of(lambda: self._store.checkpoints(held), self._wanted).items():
            position = self._positions.setdefault(partition, Position())
            position.checkpoint = stored
            offset = None if partition in self._log.out_of_range else position.next_offset(topic_id)
            places[partition] = BEGINNING if offset is None else offset
            self._progress.placed(partition, stored, topic_id)
            log.info("reading", store=self._store.name, partition=partition, sequence=stored.sequence, offset=offset)
        self._log.place(places)

    def miss(self, partition: int) -> None:
        """A message is missing before the next one: look for it, or wait until the relay has sent it again."""
        if self._positions[partition].missing():
            self._log.hold([partition])
        self._health.say(self._views, self._why_not_whole())

    def _compare_checkpoints(self) -> None:
        reading = sorted(self._log.owned - self._log.held)
        for partition, stored in self._persistence.of(lambda: self._store.checkpoints(reading), self._wanted).items():
            if stored.sequence < self._positions[partition].checkpoint.sequence:
                log.warning("the store is older than it was", store=self._store.name, partition=partition)
                self._persistence.of(self._store.prepare, self._wanted)
                self._positions[partition] = Position()
                self._log.hold([partition])

    def _why_not_whole(self) -> str | None:
        if not self._log.joined:
            return "has no partitions yet"
        missing = [
            f"{position.checkpoint.sequence + 1} of partition {partition}"
            for partition, position in sorted(self._positions.items())
            if position.search is not Search.NONE and partition in self._log.owned
        ]
        if missing:
            return f"sequence {', '.join(missing)} is missing in the log"
        return "partitions wait to be read" if self._log.held else None
