"""The relay's loop: take the lock, check database and log, then send the outbox until something fails.

Any failure ends the run with its connection, its lock and its producer, and the next run starts at the cursor. Messages
that were sent and not recorded are then sent again, with the same sequences.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import psycopg
import structlog
from confluent_kafka import KafkaException

from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import Backoff, sleep_unless
from cheeper_runtime.servers.refusals import no_answer
from write_api.kafka.errors import error_text
from write_api.kafka.topics import TopicMismatchError
from write_api.ops.metrics import RelayMetrics
from write_api.relay.history import check_history, check_identity
from write_api.relay.kafka.event_log import EventLog
from write_api.relay.kafka.publisher import SLOW_SECONDS, DeliveryError, Publisher
from write_api.relay.numbering import LogWipedError, sequences
from write_api.relay.pipeline import KAFKA, POSTGRES, Pipeline
from write_api.relay.postgres.cursor import Connect, Cursor, CursorStore, LockLostError, RelayRefusedError
from write_api.relay.publication_limit import PublicationLimit
from write_api.relay.traces import RelayTraces

HISTORY: Final = "history"
NEEDS: Final = (POSTGRES, KAFKA, HISTORY)
"""The database, the broker with its topics, and a database and a log that belong together. One of several relays is
active; the others are ready to take over.
"""

_STANDBY_SECONDS: Final = 0.5
_REFUSED_SECONDS: Final = 3.0
_CHECK_SECONDS: Final = 2.0
_PARTITIONS_SECONDS: Final = 3600.0
_FIRST_POLL, _LAST_POLL = 0.05, 0.5

log = structlog.get_logger()


class Relay:
    """Publishes the outbox until `stop` is set or `limit` domain messages are sent."""

    def __init__(  # noqa: PLR0913 - the parts that bootstrap builds
        self,
        connect: Connect,
        event_log: EventLog,
        new_publisher: Callable[[], Publisher],
        readiness: Readiness,
        *,
        metrics: RelayMetrics,
        retention_days: int | None = None,
        traces: RelayTraces | None = None,
    ) -> None:
        self._connect = connect
        self._event_log = event_log
        self._new_publisher = new_publisher
        self._readiness = readiness
        self._metrics = metrics
        self._retention_days = retention_days
        self._traces = traces

    async def run(self, stop: asyncio.Event, limit: int | None = None) -> None:
        """Relay, and start again after every failure. A refusal is checked again every few seconds."""
        remaining = PublicationLimit(limit)
        backoff = Backoff()
        while not stop.is_set() and remaining:
            before = remaining.sent
            try:
                await self._run_once(stop, remaining)
            except RelayRefusedError as error:
                self._readiness.failed(HISTORY, str(error))
                await sleep_unless(stop, _REFUSED_SECONDS)
            except TopicMismatchError as error:
                self._readiness.failed(KAFKA, str(error))
                await sleep_unless(stop, _REFUSED_SECONDS)
            except LogWipedError as error:
                log.warning("Kafka was wiped", reason=str(error))
            except (KafkaException, DeliveryError, TimeoutError) as error:  # before OSError, which a time-out is
                self._readiness.failed(KAFKA, error_text(error))
                await backoff.pause(stop)
            except psycopg.errors.UndefinedTable:
                self._readiness.failed(POSTGRES, "waiting for its migrations")
                await backoff.pause(stop)
            except (psycopg.Error, OSError, LockLostError) as error:
                self._readiness.failed(POSTGRES, no_answer(error))
                await backoff.pause(stop)
            if remaining.sent > before:
                backoff.reset()
        if limit is not None and not remaining:
            log.info("stopped at the limit", limit=limit, sent=remaining.sent)

    async def _run_once(self, stop: asyncio.Event, limit: PublicationLimit) -> None:
        async with self._connect() as store:
            if not await self._lock(store, stop):
                return
            self._readiness.ok(POSTGRES)
            cursor = await self._cursor(store)
            self._readiness.ok(HISTORY)
            publisher = self._new_publisher()
            pipeline = Pipeline(
                store,
                cursor,
                publisher,
                readiness=self._readiness,
                metrics=self._metrics,
                limit=limit,
                traces=self._traces,
            )
            self._metrics.active(sequences(cursor.sent))
            try:
                await self._publish(store, pipeline, stop, limit)
            finally:
                self._metrics.standby()
                await publisher.close()

    async def _lock(self, store: CursorStore, stop: asyncio.Event) -> bool:
        """Wait as a standby until this relay is the active one. Return False if `stop` is set first.

        Raise RelayRefusedError.
        """
        check_at, standby = 0.0, False
        while not await self._try_lock(store):
            if not standby:
                log.info("standby: another relay is active")
                standby = True
            if time.monotonic() >= check_at:
                await self._check_takeover(store)
                check_at = time.monotonic() + _CHECK_SECONDS
            await sleep_unless(stop, _STANDBY_SECONDS)
            if stop.is_set():
                return False
        log.info("this relay is active")
        return True

    async def _try_lock(self, store: CursorStore) -> bool:
        with self._readiness.failed_while_slow(POSTGRES, SLOW_SECONDS):
            return await store.lock()

    async def _check_takeover(self, store: CursorStore) -> None:
        """Check what this relay needs to become the active one. Raise RelayRefusedError and DeliveryError."""
        check_identity(await store.identity(), await store.load())
        self._readiness.ok(POSTGRES)
        self._readiness.ok(HISTORY)
        await self._topic_id()
        self._readiness.ok(KAFKA)

    async def _topic_id(self) -> str:
        topic_id = await asyncio.to_thread(self._event_log.topic_id)
        if topic_id is None:
            raise DeliveryError("the topic is not there")
        return topic_id

    async def _cursor(self, store: CursorStore) -> Cursor:
        """Return a cursor that belongs to this database and this log. Raise RelayRefusedError."""
        identity = await store.identity()
        cursor = await store.load()
        check_identity(identity, cursor)
        await asyncio.to_thread(self._event_log.create_missing)
        topic_id = await self._topic_id()
        if cursor is None:
            if any((await asyncio.to_thread(self._event_log.high_water_marks)).values()):
                raise RelayRefusedError(
                    f"the topic {self._event_log.name} holds messages that this database never sent: begin anew with "
                    "all stores empty (the topic, Redis and MongoDB), or with the database that sent them"
                )
            await store.begin(identity, topic_id)
        else:
            loss = await check_history(store, self._event_log, cursor, identity, topic_id)
            if loss is not None:
                await store.check_beginning(cursor)
                await store.rewind(cursor, topic_id, await asyncio.to_thread(self._event_log.truncate))
                log.warning("Kafka was wiped: sending all events again from the start", reason=loss)
            if cursor.identity != identity:
                await store.accept(cursor, identity)
                log.warning(
                    "continuing on another timeline: the database has everything that was sent",
                    timeline=identity.timeline_id,
                )
        return await store.load() or await self._cursor(store)

    async def _publish(
        self, store: CursorStore, pipeline: Pipeline, stop: asyncio.Event, limit: PublicationLimit
    ) -> None:
        poll, check_at, partitions_at = _FIRST_POLL, time.monotonic() + _CHECK_SECONDS, time.monotonic()
        while not stop.is_set() and limit:
            if time.monotonic() >= check_at:
                await self._check_log(pipeline.cursor)
                check_at = time.monotonic() + _CHECK_SECONDS
            if time.monotonic() >= partitions_at:
                await self._maintain_partitions(store, pipeline)
                partitions_at = time.monotonic() + _PARTITIONS_SECONDS
            found = await pipeline.step(stop)
            poll = _FIRST_POLL if found else min(poll * 2, _LAST_POLL)
            if pipeline.idle:
                if not found:
                    self._readiness.ok(KAFKA)  # otherwise an acknowledgement says so: a broker may refuse only writes
                await store.wait(poll)
        await pipeline.drain(stop)

    async def _maintain_partitions(self, store: CursorStore, pipeline: Pipeline) -> None:
        await store.create_partitions()
        if self._retention_days is not None:
            await self._check_log(pipeline.cursor)  # rows that a wiped Kafka must be filled with are not dropped
            pipeline.cursor, retained = await store.drop_partitions(pipeline.cursor, self._retention_days)
            self._metrics.retained(retained)

    async def _check_log(self, cursor: Cursor) -> None:
        topic_id = await asyncio.to_thread(self._event_log.topic_id)
        loss = await asyncio.to_thread(self._event_log.loss, topic_id, cursor.sent)
        if loss is not None:
            raise LogWipedError(loss)
