"""The pipeline from the outbox to Kafka: a batch is read and sent while Kafka acknowledges the one before."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.traces.traceparent import ids
from write_api.ops.metrics import RelayMetrics
from write_api.relay.kafka.publisher import SLOW_SECONDS, Delivery, Publisher
from write_api.relay.numbering import NumberedMessage, Row, advance, number, sequences
from write_api.relay.postgres.cursor import Cursor, CursorStore
from write_api.relay.publication_limit import PublicationLimit
from write_api.relay.traces import RelayTraces

POSTGRES, KAFKA = "postgres", "kafka"
BATCH: Final = 2000
"""The number of rows that are read and sent together."""
MAX_IN_FLIGHT: Final = 2
"""The number of batches that are sent and not yet acknowledged: they are held in memory, and repeated after a fault."""

log = structlog.get_logger()


class _Batch(msgspec.Struct, frozen=True):
    rows: list[Row]
    messages: list[NumberedMessage]
    delivery: Delivery
    began: int  # nanoseconds since the epoch


class _LogFields(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    message_id: str
    correlation_id: str
    reply_to: str | None
    type: str
    key: str
    partition: int
    sequence: int | None
    trace_id: str | None = None
    span_id: str | None = None


class Pipeline:
    """Sends the rows behind the cursor, and moves the cursor behind the acknowledged ones, in order.

    `cursor` is the one in the database. `idle` is true if every row that could be read is acknowledged.
    """

    def __init__(  # noqa: PLR0913 - the parts that a run of the relay has built
        self,
        store: CursorStore,
        cursor: Cursor,
        publisher: Publisher,
        *,
        readiness: Readiness,
        metrics: RelayMetrics,
        limit: PublicationLimit,
        traces: RelayTraces | None = None,
    ) -> None:
        self.cursor = cursor
        self.idle = False
        self._store = store
        self._publisher = publisher
        self._readiness = readiness
        self._metrics = metrics
        self._limit = limit
        self._traces = traces
        self._in_flight: deque[_Batch] = deque()
        self._read_to = cursor.position
        self._numbered = sequences(cursor.sent)

    async def step(self, stop: asyncio.Event) -> bool:
        """Read and send a batch, and wait for one if the pipeline is full or there is nothing more to read.

        Return True if rows were read. Raise DeliveryError, KafkaException, LogWipedError, LockLostError or psycopg's
        errors, after which only a new pipeline with a new producer may go on.
        """
        rows = await self._read()
        if rows and not await self._send(rows, stop):
            return True
        if self._in_flight and (len(rows) < BATCH or self._full):
            await self._acknowledge(stop)
        self.idle = len(rows) < BATCH and not self._in_flight
        return bool(rows)

    async def drain(self, stop: asyncio.Event) -> None:
        """Wait for the batches in flight. Once `stop` is set, give up on a batch that is not acknowledged soon."""
        while self._in_flight and await self._acknowledge(stop):
            pass

    @property
    def _full(self) -> bool:
        # The rest of a limit is known only when everything that was sent is acknowledged.
        return len(self._in_flight) >= (MAX_IN_FLIGHT if self._limit.unlimited else 1)

    async def _read(self) -> list[Row]:
        ahead = msgspec.structs.replace(self.cursor, position=self._read_to)
        with self._readiness.failed_while_slow(POSTGRES, SLOW_SECONDS):
            rows = await self._store.read(ahead, BATCH)
        return self._limit.allowed(rows)

    async def _send(self, rows: list[Row], stop: asyncio.Event) -> bool:
        """Send the rows. Return False if `stop` is set first."""
        began, messages = time.time_ns(), number(rows, self._numbered)
        delivery = await self._publisher.send(messages, stop, self._slow)
        if delivery is None:
            return False
        self._in_flight.append(_Batch(rows, messages, delivery, began))
        self._read_to = rows[-1].position
        self._numbered |= {message.partition: message.envelope.sequence or 0 for message in messages}
        return True

    async def _acknowledge(self, stop: asyncio.Event) -> bool:
        """Wait for the first batch in flight, and move the cursor behind it. Return False if `stop` is set first."""
        batch = self._in_flight[0]
        offsets = await self._publisher.acknowledged(batch.delivery, stop, self._slow)
        if offsets is None:
            return False
        sent = advance(self.cursor.sent, offsets)
        with self._readiness.failed_while_slow(POSTGRES, SLOW_SECONDS):
            self.cursor = await self._store.move(self.cursor, batch.rows[-1], batch.rows[0], sent)
        self._in_flight.popleft()
        self._metrics.sent(len(batch.messages), sequences(sent))
        self._readiness.ok(KAFKA)
        if self._traces is not None:
            self._traces.acknowledged(batch.messages, batch.began)
        self._limit.count(batch.rows)
        log.info("message sent", each=_log_fields(batch.messages))
        return True

    def _slow(self) -> None:
        self._readiness.failed(KAFKA, "the broker does not acknowledge")


def _log_fields(messages: Sequence[NumberedMessage]) -> list[_LogFields]:
    return [_fields_of(message) for message in messages]


def _fields_of(message: NumberedMessage) -> _LogFields:
    envelope = message.envelope
    trace_id, span_id = ids(envelope.traceparent)
    return _LogFields(
        message_id=envelope.message_id,
        correlation_id=envelope.correlation_id,
        reply_to=envelope.reply_to,
        type=envelope.type,
        key=envelope.key,
        partition=message.partition,
        sequence=envelope.sequence,
        trace_id=trace_id,
        span_id=span_id,
    )
