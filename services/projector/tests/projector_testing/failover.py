"""Events without pause while a server fails, and the times at which they were applied."""

import threading
import time

from confluent_kafka import Producer

from cheeper_local.testing.replicated import Availability

_PAUSE_SECONDS = 0.02


class Load:
    """Sends one follow of `author` after another within the block, and notes when the consumer has applied more."""

    def __init__(self, kafka, consumer, story, author, followers):
        self.sent, self.applied = 0, Availability()
        self._kafka, self._consumer, self._story = kafka, consumer, story
        self._author, self._followers = author, followers
        self._producer = Producer({"bootstrap.servers": kafka.servers, "enable.idempotence": True})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(120)
        assert self._producer.flush(60) == 0

    def _run(self):
        seen = 0
        while not self._stop.is_set():
            message = self._story.followed(self._followers(), self._author).message
            self._producer.produce(
                self._kafka.topic,
                value=message.value(),
                key=message.key(),
                headers=message.headers(),
                partition=message.partition(),
            )
            self.sent += 1
            until = time.monotonic() + _PAUSE_SECONDS
            while time.monotonic() < until:
                self._producer.poll(_PAUSE_SECONDS / 4)
            if (now := self._consumer.applied()) > seen:
                seen = now
                self.applied.succeeded()
