"""The relay's course: wait for the lock, make sure of database and log, then let what stands in the outbox flow.

Whatever goes wrong ends the course, with the connection, its lock and the producer; the next one begins at the cursor.
What was sent and not yet recorded is then sent again, with the same sequences.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import psycopg
import structlog
from confluent_kafka import KafkaException

from write_api.kafka.topics import TopicMismatchError, error_words
from write_api.ops.backoff import Backoff, sleep_unless
from write_api.ops.metrics import RelayMetrics
from write_api.ops.needs import Needs
from write_api.relay.cursor import (
    Cursor,
    CursorStore,
    LockLostError,
    RelayRefusedError,
    connect,
    refuse_another_history,
)
from write_api.relay.event_log import EventLog
from write_api.relay.limit import Limit
from write_api.relay.numbering import LogWipedError, sequences
from write_api.relay.pipeline import KAFKA, POSTGRES, Flow, answered
from write_api.relay.publisher import DeliveryError, Publisher

HISTORY: Final = "history"
NEEDS: Final = (POSTGRES, KAFKA, HISTORY)
"""The database; the broker with its topics; a database and a log that fit together. Of several relays one is active,
and the others are ready to take over from it.
"""

_STANDBY_SECONDS: Final = 0.5
_REFUSED_SECONDS: Final = 3.0
_CHECK_SECONDS: Final = 2.0
_PARTITIONS_SECONDS: Final = 3600.0
_FIRST_POLL, _LAST_POLL = 0.05, 0.5

log = structlog.get_logger()


class Relay:
    """Publishes the outbox until `stop` is set or `limit` domain messages were sent."""

    def __init__(  # noqa: PLR0913 - what bootstrap hands it
        self,
        database_url: str,
        event_log: EventLog,
        bootstrap_servers: str,
        needs: Needs,
        *,
        metrics: RelayMetrics,
        retention_days: int | None = None,
    ) -> None:
        self._database_url = database_url
        self._event_log = event_log
        self._bootstrap_servers = bootstrap_servers
        self._needs = needs
        self._metrics = metrics
        self._retention_days = retention_days

    async def run(self, stop: asyncio.Event, limit: int | None = None) -> None:
        """Relay, and begin again after every fault; a refusal is looked at again every few seconds."""
        left = Limit(limit)
        backoff = Backoff()
        while not stop.is_set() and left:
            before = left.sent
            try:
                await self._course(stop, left)
            except RelayRefusedError as error:
                self._needs.unmet(HISTORY, str(error))
                await sleep_unless(stop, _REFUSED_SECONDS)
            except TopicMismatchError as error:
                self._needs.unmet(KAFKA, str(error))
                await sleep_unless(stop, _REFUSED_SECONDS)
            except LogWipedError as error:
                log.warning("Kafka was wiped", how=str(error))
            except (KafkaException, DeliveryError, TimeoutError) as error:  # before OSError, which a time-out is
                self._needs.unmet(KAFKA, _words(error))
                await backoff.pause(stop)
            except psycopg.errors.UndefinedTable:
                self._needs.unmet(POSTGRES, "waiting for its migrations")
                await backoff.pause(stop)
            except (psycopg.Error, OSError, LockLostError) as error:
                self._needs.unmet(POSTGRES, f"no answer: {type(error).__name__}")
                await backoff.pause(stop)
            if left.sent > before:
                backoff.reset()
        if limit is not None and not left:
            log.info("stopped at the limit", limit=limit, sent=left.sent)

    async def _course(self, stop: asyncio.Event, left: Limit) -> None:
        async with connect(self._database_url) as store:
            if not await self._lock(store, stop):
                return
            self._needs.met(POSTGRES)
            cursor = await self._cursor(store)
            self._needs.met(HISTORY)
            publisher = Publisher(self._bootstrap_servers, self._event_log.name)
            flow = Flow(store, cursor, publisher, needs=self._needs, metrics=self._metrics, left=left)
            self._metrics.at_work(sequences(cursor.sent))
            try:
                await self._publish(store, flow, stop, left)
            finally:
                self._metrics.stands_by()
                await publisher.close()

    async def _lock(self, store: CursorStore, stop: asyncio.Event) -> bool:
        """Wait as a standby until this is the active relay; false where `stop` came first. Raises RelayRefusedError."""
        check_at, standby = 0.0, False
        while not await answered(store.lock(), self._needs):
            if not standby:
                log.info("standby: another relay is at work")
                standby = True
            if time.monotonic() >= check_at:
                await self._check_takeover(store)
                check_at = time.monotonic() + _CHECK_SECONDS
            await sleep_unless(stop, _STANDBY_SECONDS)
            if stop.is_set():
                return False
        log.info("this relay is at work")
        return True

    async def _check_takeover(self, store: CursorStore) -> None:
        """Make sure that what this relay would need is there. Raises RelayRefusedError and DeliveryError."""
        refuse_another_history(await store.identity(), await store.load())
        self._needs.met(POSTGRES, HISTORY)
        await self._topic_id()
        self._needs.met(KAFKA)

    async def _topic_id(self) -> str:
        """The id of the topic. Raises DeliveryError where it is missing."""
        found = await asyncio.to_thread(self._event_log.topic_id)
        if found is None:
            raise DeliveryError("the topic is not there")
        return found

    async def _cursor(self, store: CursorStore) -> Cursor:
        """The cursor, of this database and this log. Raises RelayRefusedError."""
        identity = await store.identity()
        cursor = await store.load()
        refuse_another_history(identity, cursor)
        await asyncio.to_thread(self._event_log.make)
        topic_id = await self._topic_id()
        if cursor is None:
            if any((await asyncio.to_thread(self._event_log.ends)).values()):
                raise RelayRefusedError(
                    f"the topic {self._event_log.name} holds messages that this database never sent: begin anew with "
                    "all stores empty (the topic, Redis and MongoDB), or with the database that sent them"
                )
            await store.begin(identity, topic_id)
        else:
            lacks = await asyncio.to_thread(self._event_log.lacks, topic_id, cursor.sent)
            if lacks is not None:
                await store.check_beginning(cursor)
                await store.rewind(cursor, topic_id, await asyncio.to_thread(self._event_log.empty))
                log.warning("Kafka was wiped: sending all events again from the start", how=lacks)
        return await store.load() or await self._cursor(store)

    async def _publish(self, store: CursorStore, flow: Flow, stop: asyncio.Event, left: Limit) -> None:
        poll, check_at, partitions_at = _FIRST_POLL, time.monotonic() + _CHECK_SECONDS, time.monotonic()
        while not stop.is_set() and left:
            if time.monotonic() >= check_at:
                await self._check_log(flow.cursor)
                check_at = time.monotonic() + _CHECK_SECONDS
            if time.monotonic() >= partitions_at:
                await store.make_partitions()
                if self._retention_days is not None:
                    await self._check_log(flow.cursor)  # what a wiped Kafka must be filled with is not dropped
                    flow.cursor = await store.drop_partitions(flow.cursor, self._retention_days)
                partitions_at = time.monotonic() + _PARTITIONS_SECONDS
            found = await flow.turn(stop)
            poll = _FIRST_POLL if found else min(poll * 2, _LAST_POLL)
            if flow.idle:
                if not found:
                    self._needs.met(KAFKA)  # and else once it confirms: one that answers may yet take no writes
                await store.wait(poll)
        await flow.drain(stop)

    async def _check_log(self, cursor: Cursor) -> None:
        topic_id = await asyncio.to_thread(self._event_log.topic_id)
        lacks = await asyncio.to_thread(self._event_log.lacks, topic_id, cursor.sent)
        if lacks is not None:
            raise LogWipedError(lacks)


def _words(error: Exception) -> str:
    if isinstance(error, KafkaException):
        return error_words(error.args[0])
    return str(error) or type(error).__name__
