"""A consumer's course: receive a batch, handle it however long that takes, commit its offsets, again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from confluent_kafka import KafkaException

from write_api.bus.errors import UnavailableError
from write_api.consumer.batch import Batches, Found, TooMuchPoisonError
from write_api.consumer.group_consumer import Member, Subscription
from write_api.consumer.lag import Lag
from write_api.consumer.message import Received
from write_api.kafka.topics import Admin, TopicMismatchError, describe, ensure_topics, error_words
from write_api.ops.backoff import Backoff, sleep_unless
from write_api.ops.needs import Needs

KAFKA, GROUP, MESSAGES = "kafka", "group", "messages"
NEEDS: Final = (KAFKA, GROUP, MESSAGES)
"""The broker with its topics; a place in the consumer group, whose share of the partitions may be none; that what these
give can be handled.
"""

_CHECK_SECONDS: Final = 2.0
_REFUSED_SECONDS: Final = 3.0

log = structlog.get_logger()


class TopicReplacedError(Exception):
    """The topic was deleted and made again."""


class Consumer:
    """Handles messages until `stop` is set or `limit` that led to something were handled or parked. `lag` is told
    how far it is.
    """

    def __init__(  # noqa: PLR0913 - what bootstrap hands it
        self,
        subscription: Subscription,
        bootstrap_servers: str,
        topic_prefix: str,
        batches: Batches,
        needs: Needs,
        *,
        lag: Lag | None = None,
    ) -> None:
        self._subscription = subscription
        self._bootstrap_servers = bootstrap_servers
        self._prefix = topic_prefix
        self._batches = batches
        self._needs = needs
        self._lag = lag
        self._assignment: Mapping[int, int | None] = {}
        self._admin = Admin(bootstrap_servers)
        self._topic_id: str | None = None
        self._done = 0

    async def run(self, stop: asyncio.Event, limit: int | None = None) -> bool:
        """Consume, and begin again with a new member after every fault of Kafka's; false where poison ended it.

        Too much poison in a row ends the consumption but not the process, whose readiness says why: whoever starts
        processes that ended would otherwise park the topic, batch by batch.
        """
        backoff = Backoff()
        while not stop.is_set() and not self._reached(limit):
            done = self._done
            try:
                await self._course(stop, limit)
            except TooMuchPoisonError as error:
                self._needs.unmet(MESSAGES, str(error))
                log.error(  # noqa: TRY400 - its text says all
                    "stopped: see to the cause and start this process again",
                    why=str(error),
                    last_error=error.last_error,
                )
                return False
            except TopicReplacedError:
                log.warning("the topic was replaced", topic=self._subscription.topic.named(self._prefix))
            except TopicMismatchError as error:
                self._needs.unmet(KAFKA, str(error))
                await sleep_unless(stop, _REFUSED_SECONDS)
            except (KafkaException, TimeoutError) as error:
                self._needs.unmet(KAFKA, _words(error))
                await backoff.pause(stop)
            if self._done > done:
                backoff.reset()
        if limit is not None and self._reached(limit):
            log.info("stopped at the limit", limit=limit, handled=self._done)
        return True

    async def _course(self, stop: asyncio.Event, limit: int | None) -> None:
        self._topic_id = await self._find_topic()
        member = Member(self._subscription, self._bootstrap_servers, self._prefix, self._topic_id)
        self._tell_joined(member)
        try:
            await self._consume(member, stop, limit)
        finally:
            await asyncio.to_thread(member.close)

    async def _consume(self, member: Member, stop: asyncio.Event, limit: int | None) -> None:
        self._needs.met(MESSAGES)
        check_at, most = 0.0, self._subscription.batch
        while not stop.is_set() and not self._reached(limit):
            if time.monotonic() >= check_at:
                await self._check_topic()
                check_at = time.monotonic() + _CHECK_SECONDS
            wanted = most if limit is None else min(most, limit - self._done)
            messages = await asyncio.to_thread(member.receive, wanted)
            self._tell_joined(member)
            self._tell_lag(member, messages)
            found = self._batches.read(messages)
            if messages and await self._handle(found, stop):
                await asyncio.to_thread(member.commit, messages)
                self._done += sum(1 for one in found if one.content)
                if self._lag is not None:
                    self._lag.done(messages)

    def _tell_joined(self, member: Member) -> None:
        if member.joined:
            self._needs.met(GROUP)
        else:
            self._needs.unmet(GROUP, "has no partitions yet")

    def _tell_lag(self, member: Member, messages: Sequence[Received]) -> None:
        if self._lag is None:
            return
        if member.assignment is not self._assignment:  # a rebalance gives another one
            self._assignment = member.assignment
            self._lag.assigned(self._assignment)
        self._lag.received(messages)

    async def _handle(self, batch: Sequence[Found], stop: asyncio.Event) -> bool:
        """Handle a batch, tried again until it succeeds; false where `stop` came first."""
        backoff = Backoff()
        while True:
            try:
                await self._batches.handle(batch)
            except UnavailableError as error:
                self._needs.unmet(MESSAGES, str(error))
                await self._mend_topics()
                await backoff.pause(stop)
                if stop.is_set():
                    return False
            else:
                self._needs.met(MESSAGES)
                return True

    async def _mend_topics(self) -> None:
        """What a batch waits for may be a topic that went with a wiped Kafka, and nobody else may be there to make it:
        our own topic is looked for between batches, one that a batch is sent to is not.
        """
        try:
            await asyncio.to_thread(self._admin.ask, ensure_topics, self._prefix)
        except (KafkaException, TimeoutError, TopicMismatchError) as error:
            self._needs.unmet(KAFKA, _words(error))
        else:
            self._needs.met(KAFKA)

    async def _find_topic(self) -> str:
        """Make sure of the topic; its id."""
        await asyncio.to_thread(self._admin.ask, ensure_topics, self._prefix)
        found = await self._current_topic()
        if found is None:
            raise TimeoutError("the topic is made, and not there yet")
        return found

    async def _check_topic(self) -> None:
        if await self._current_topic() != self._topic_id:
            raise TopicReplacedError
        self._needs.met(KAFKA)

    async def _current_topic(self) -> str | None:
        return await asyncio.to_thread(self._admin.ask, describe, self._subscription.topic, self._prefix)

    def _reached(self, limit: int | None) -> bool:
        return limit is not None and self._done >= limit


def _words(error: Exception) -> str:
    return error_words(error.args[0]) if isinstance(error, KafkaException) else str(error) or "no answer"
