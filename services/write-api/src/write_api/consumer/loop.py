"""The consumer loop: receive a batch, handle it however long that takes, and commit its offsets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import structlog
from confluent_kafka import KafkaException

from cheeper_runtime.dead_letters.poison_limit import TooMuchPoisonError
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import AbandonedError, AsyncRetryLoop, Backoff, sleep_unless
from write_api.bus.errors import UnavailableError
from write_api.consumer.batch import BatchHandler
from write_api.consumer.group_consumer import GroupConsumer, Start
from write_api.consumer.lag import Lag
from write_api.consumer.message import ConsumedMessage
from write_api.consumer.progress import Progress
from write_api.kafka.errors import error_text
from write_api.kafka.topics import TopicAdmin, TopicMismatchError

KAFKA, GROUP, MESSAGES = "kafka", "group", "messages"
NEEDS: Final = (KAFKA, GROUP, MESSAGES)
"""The broker with its topics; membership of the consumer group, which may assign no partitions; the ability to handle
the messages.
"""

_CHECK_SECONDS: Final = 2.0
_REFUSED_SECONDS: Final = 3.0

log = structlog.get_logger()


class RejoinError(Exception):
    """A new member must join the group. The text says why."""


class ConsumerLoop:
    """Handles messages until `stop` is set, or until `limit` messages that led to something were handled or parked.

    `join` returns a new member of the group for the topic with that id; `batch` is the maximum size of a batch. It
    reads from the checkpoints of `progress`, or from the group's offsets if there are none.
    """

    def __init__(  # noqa: PLR0913 - the parts that bootstrap builds
        self,
        topic: TopicAdmin,
        join: Callable[[str, Start | None], GroupConsumer],
        handler: BatchHandler,
        readiness: Readiness,
        *,
        batch: int,
        lag: Lag | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._topic = topic
        self._join = join
        self._handler = handler
        self._readiness = readiness
        self._batch = batch
        self._lag = lag
        self._progress = progress
        self._retry = AsyncRetryLoop(readiness, MESSAGES, UnavailableError, on_failure=self._create_topics)
        self._assignment: Mapping[int, int | None] = {}
        self._topic_id: str | None = None
        self._handled = 0

    async def run(self, stop: asyncio.Event, limit: int | None = None) -> bool:
        """Consume, and start again with a new member after every failure of Kafka. Return False if poison ended it.

        Too much poison ends the loop but not the process, whose readiness exposes the reason: a supervisor that starts
        ended processes again would park the whole topic, batch by batch.
        """
        backoff = Backoff()
        while not stop.is_set() and not self._reached(limit):
            handled = self._handled
            try:
                await self._run_once(stop, limit)
            except TooMuchPoisonError as error:
                self._readiness.failed(MESSAGES, str(error))
                log.error(  # noqa: TRY400 - the text says everything
                    "stopped: remove the cause and start this process again",
                    reason=str(error),
                    last_error=error.last_error,
                )
                return False
            except RejoinError as error:
                log.warning(str(error), topic=self._topic.name)
            except TopicMismatchError as error:
                self._readiness.failed(KAFKA, str(error))
                await sleep_unless(stop, _REFUSED_SECONDS)
            except (KafkaException, TimeoutError) as error:
                self._readiness.failed(KAFKA, error_text(error))
                await backoff.pause(stop)
            except UnavailableError as error:  # of the checkpoints: that of a batch is retried
                self._readiness.failed(MESSAGES, str(error))
                await backoff.pause(stop)
            if self._handled > handled:
                backoff.reset()
        if limit is not None and self._reached(limit):
            log.info("stopped at the limit", limit=limit, handled=self._handled)
        return True

    async def _run_once(self, stop: asyncio.Event, limit: int | None) -> None:
        self._topic_id = await self._find_topic()
        consumer = self._join(self._topic_id, self._progress.start_of(self._topic_id) if self._progress else None)
        self._report_joined(consumer)
        try:
            await self._consume(consumer, stop, limit)
        except AbandonedError:
            pass  # `stop` was set while a batch could not be handled
        finally:
            await asyncio.to_thread(consumer.close)

    async def _consume(self, consumer: GroupConsumer, stop: asyncio.Event, limit: int | None) -> None:
        self._readiness.ok(MESSAGES)
        check_at = 0.0
        while not stop.is_set() and not self._reached(limit):
            if time.monotonic() >= check_at:
                await self._check_topic(consumer)
                await self._check_progress()
                check_at = time.monotonic() + _CHECK_SECONDS
            wanted = self._batch if limit is None else min(self._batch, limit - self._handled)
            messages = await asyncio.to_thread(consumer.receive, wanted)
            self._report_joined(consumer)
            self._report_lag(consumer, messages)
            if not messages:
                continue
            batch = self._handler.decode(messages)
            checkpoints = self._progress.behind(messages) if self._progress else []
            await self._retry.run(partial(self._handler.handle, batch, checkpoints), stop)
            if self._progress:
                self._progress.handled(checkpoints)
            consumer.commit(messages)
            self._handled += sum(1 for decoded in batch if decoded.content)
            if self._lag is not None:
                self._lag.consumed(messages)

    def _report_joined(self, consumer: GroupConsumer) -> None:
        self._readiness.report(GROUP, None if consumer.joined else "has no partitions yet")

    def _report_lag(self, consumer: GroupConsumer, messages: Sequence[ConsumedMessage]) -> None:
        if self._lag is None:
            return
        if consumer.assignment is not self._assignment:  # a rebalance sets a new one
            self._assignment = consumer.assignment
            self._lag.assigned(self._assignment)
        self._lag.received(messages)

    async def _create_topics(self, _error: UnavailableError) -> None:
        """Create missing topics while a batch waits: one that it is sent to may have been lost with a wiped Kafka, and
        no other process may be there to create it. `_check_topic` only checks the topic that is consumed.
        """
        try:
            await asyncio.to_thread(self._topic.create_missing)
        except (KafkaException, TimeoutError, TopicMismatchError) as error:
            self._readiness.failed(KAFKA, error_text(error))
        else:
            self._readiness.ok(KAFKA)

    async def _find_topic(self) -> str:
        await asyncio.to_thread(self._topic.create_missing)
        topic_id = await asyncio.to_thread(self._topic.topic_id)
        if topic_id is None:
            raise TimeoutError("the topic is created and not available yet")
        return topic_id

    async def _check_topic(self, consumer: GroupConsumer) -> None:
        was_disconnected = consumer.was_disconnected
        if await asyncio.to_thread(self._topic.topic_id) != self._topic_id:
            raise RejoinError("topic replaced")
        if was_disconnected:  # before the broker responded, so a new member can join and this one can leave
            raise RejoinError("the broker is available again")
        self._readiness.ok(KAFKA)

    async def _check_progress(self) -> None:
        with suppress(UnavailableError):  # a batch waits for the database, and the next check finds it
            if self._progress and await self._progress.is_set_back():
                raise RejoinError("the database was set back: reading again from its checkpoints")

    def _reached(self, limit: int | None) -> bool:
        return limit is not None and self._handled >= limit
