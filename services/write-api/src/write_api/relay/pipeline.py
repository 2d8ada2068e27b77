"""The way of batches from the outbox to Kafka: one is read and sent while Kafka confirms the one before."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence
from typing import Final, TypeVar

import msgspec
import structlog

from write_api.ops.metrics import RelayMetrics
from write_api.ops.needs import Needs
from write_api.relay.cursor import Cursor, CursorStore
from write_api.relay.limit import Limit
from write_api.relay.numbering import Numbered, Row, advance, number, sequences
from write_api.relay.publisher import SLOW_SECONDS, Delivery, Publisher

POSTGRES, KAFKA = "postgres", "kafka"
BATCH: Final = 2000
"""Rows that are read and sent together."""
IN_FLIGHT: Final = 2
"""Batches that are sent and not yet confirmed: what the relay holds in memory, and repeats after a fault."""

log = structlog.get_logger()
T = TypeVar("T")


class _Flight(msgspec.Struct, frozen=True):
    rows: list[Row]
    messages: list[Numbered]
    delivery: Delivery


class _Told(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a line of the log says of a message."""

    message_id: str
    correlation_id: str
    reply_to: str | None
    type: str
    key: str
    partition: int
    sequence: int | None


class Flow:
    """Sends what stands behind the cursor, and moves that behind what is confirmed, in order.

    `cursor` is where it stands in the database. `idle`: all that was read is confirmed, and no more was there to read.
    """

    def __init__(  # noqa: PLR0913 - what a course has made
        self,
        store: CursorStore,
        cursor: Cursor,
        publisher: Publisher,
        *,
        needs: Needs,
        metrics: RelayMetrics,
        left: Limit,
    ) -> None:
        self.cursor = cursor
        self.idle = False
        self._store = store
        self._publisher = publisher
        self._needs = needs
        self._metrics = metrics
        self._left = left
        self._flights: deque[_Flight] = deque()
        self._read_to = cursor.position
        self._numbered = sequences(cursor.sent)

    async def turn(self, stop: asyncio.Event) -> bool:
        """Read and send a batch, and wait for one that was sent if as many are on their way as may be, or no other can
        be read. Whether rows were read.

        Raises DeliveryError, KafkaException, LogWipedError, LockLostError and psycopg's errors, after which only a new
        course with a new producer may go on.
        """
        rows = await self._read()
        if rows and not await self._send(rows, stop):
            return True
        if self._flights and (len(rows) < BATCH or self._full):
            await self._confirm(stop)
        self.idle = len(rows) < BATCH and not self._flights
        return bool(rows)

    async def drain(self, stop: asyncio.Event) -> None:
        """Wait for all that was sent, or, once `stop` is set, for what is confirmed soon."""
        while self._flights and await self._confirm(stop):
            pass

    @property
    def _full(self) -> bool:
        # How much a limit leaves is known once all that was sent is confirmed.
        return len(self._flights) >= (IN_FLIGHT if self._left.endless else 1)

    async def _read(self) -> list[Row]:
        ahead = msgspec.structs.replace(self.cursor, position=self._read_to)
        return self._left.allowed(await answered(self._store.read(ahead, BATCH), self._needs))

    async def _send(self, rows: list[Row], stop: asyncio.Event) -> bool:
        """Send the rows; false where `stop` came first."""
        messages = number(rows, self._numbered)
        delivery = await self._publisher.send(messages, stop, self._slow)
        if delivery is None:
            return False
        self._flights.append(_Flight(rows, messages, delivery))
        self._read_to = rows[-1].position
        self._numbered |= {message.partition: message.envelope.sequence or 0 for message in messages}
        return True

    async def _confirm(self, stop: asyncio.Event) -> bool:
        """Wait until the first batch that is on its way is confirmed, and move the cursor behind it; false where `stop`
        came first.
        """
        flight = self._flights[0]
        offsets = await self._publisher.confirmed(flight.delivery, stop, self._slow)
        if offsets is None:
            return False
        sent = advance(self.cursor.sent, offsets)
        moving = self._store.move(self.cursor, flight.rows[-1], flight.rows[0], sent)
        self.cursor = await answered(moving, self._needs)
        self._flights.popleft()
        self._metrics.sent(len(flight.messages), sequences(sent))
        self._needs.met(KAFKA)
        self._left.count(flight.rows)
        log.info("message sent", each=_told(flight.messages))
        return True

    def _slow(self) -> None:
        self._needs.unmet(KAFKA, "the broker does not confirm")


async def answered(asked: Awaitable[T], needs: Needs) -> T:
    """What the database answers, however late: readiness tells of one that is frozen."""
    with needs.unmet_while_slow(POSTGRES, SLOW_SECONDS):
        return await asked


def _told(messages: Sequence[Numbered]) -> list[_Told]:
    return [
        _Told(
            message_id=message.envelope.message_id,
            correlation_id=message.envelope.correlation_id,
            reply_to=message.envelope.reply_to,
            type=message.envelope.type,
            key=message.envelope.key,
            partition=message.partition,
            sequence=message.envelope.sequence,
        )
        for message in messages
    ]
