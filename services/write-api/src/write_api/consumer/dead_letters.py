"""Dead letters in Postgres, and their copies on `cheeper.dead-letters`."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Final

import msgspec
import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cheeper_contracts import topics
from cheeper_contracts.dead_letters import BEHIND, DeadLetter, to_headers
from cheeper_contracts.envelope import Headers
from cheeper_contracts.topics import Topic
from write_api.bus.errors import UnavailableError
from write_api.consumer.message import Letter, Received
from write_api.db.engine import autocommitting
from write_api.db.faults import transient_faults
from write_api.db.unit_of_work import lock
from write_api.kafka.topics import error_words

_COPY_SECONDS: Final = 5.0

log = structlog.get_logger()

_PARKED = text("SELECT DISTINCT key FROM dead_letters WHERE source_topic = :source AND key = ANY(:keys)")
_WAITING = text("SELECT count(*) FROM dead_letters WHERE source_topic = :source")
_HANDLED = text(
    "SELECT message_id::text FROM handled_commands WHERE message_id = ANY(CAST(:ids AS uuid[])) AND outcome IS NOT NULL"
)
_PARK = text(
    'INSERT INTO dead_letters (reason, error, stack_digest, source_topic, partition, "offset", content_digest, key,'
    " headers, value) VALUES (:reason, :error, :stack_digest, :source_topic, :partition, :offset, :content_digest,"
    " :key, CAST(:headers AS json), :value) ON CONFLICT DO NOTHING"
)


class DeadLetters:
    """Parks messages of one topic: a key that is parked in one is not in another.

    A message that is parked already stays as it is, so that parking may be repeated.
    """

    def __init__(self, engine: AsyncEngine, bootstrap_servers: str, topic_prefix: str, source: Topic) -> None:
        self._engine = engine
        self._reading = autocommitting(engine)
        self._source = source.named(topic_prefix)
        self._topic = topics.DEAD_LETTERS.named(topic_prefix)
        self._config: dict[str, Any] = {
            "bootstrap.servers": bootstrap_servers,
            "enable.idempotence": True,
            "delivery.timeout.ms": int(_COPY_SECONDS * 1000),
            "batch.num.messages": 1,  # one that is too large is refused with all that is in its batch
            "allow.auto.create.topics": False,
            "log_level": 2,
        }

    async def parked_keys(self, keys: Collection[str]) -> set[str]:
        """Those of the keys that have parked messages. Raises UnavailableError."""
        with transient_faults():
            async with self._reading.connect() as connection:
                return await self._parked_keys(connection, keys)

    async def handled(self, message_ids: Collection[str]) -> set[str]:
        """Those of the message ids whose commands have been handled. Raises UnavailableError."""
        with transient_faults():
            async with self._reading.connect() as connection:
                return set((await connection.execute(_HANDLED, {"ids": list(message_ids)})).scalars())

    async def waiting(self) -> int:
        """How many messages of the topic wait. Raises UnavailableError."""
        with transient_faults():
            async with self._reading.connect() as connection:
                return int((await connection.execute(_WAITING, {"source": self._source})).scalar_one())

    async def park(self, letters: Sequence[Letter]) -> None:
        """Park the letters in this order, and copy them for people and tools; a copy that is lost is logged.

        Raises UnavailableError; also where what a letter was to wait behind has been replayed or dropped meanwhile.
        """
        with transient_faults():
            async with self._engine.begin() as connection:
                await self._hold_places(connection, letters)
                await connection.execute(_PARK, [_row(letter) for letter in letters])
        await asyncio.to_thread(self._copy, letters)

    async def _hold_places(self, connection: AsyncConnection, letters: Sequence[Letter]) -> None:
        """A replay takes the lock of its key as well: nothing comes to wait behind what is no longer there."""
        keys = {letter.message.key for letter in letters if letter.message.key is not None}
        await lock(connection, keys)
        parked = await self._parked_keys(connection, keys)
        for letter in letters:
            key = letter.message.key
            if letter.reason == BEHIND and key not in parked:
                log.info("freed while a message was to be parked behind its poison", key=key)
                raise UnavailableError("a key was freed while a message was to be parked behind its poison")
            parked |= {key} if key is not None else set()

    async def _parked_keys(self, connection: AsyncConnection, keys: Collection[str]) -> set[str]:
        storable = {_storable(key): key for key in keys}
        parked = (await connection.execute(_PARKED, {"source": self._source, "keys": list(storable)})).scalars()
        return {storable[key] for key in parked}

    def _copy(self, letters: Sequence[Letter]) -> None:
        # Poison is rare: a producer for each time is cheaper than one that is kept for it.
        producer = Producer(self._config)
        for letter in letters:
            delivered = partial(_delivered, letter.message)
            try:
                producer.produce(
                    self._topic,
                    value=letter.message.value,
                    key=letter.message.key,
                    partition=0,
                    headers=[*letter.message.headers, *_told(letter)],
                    on_delivery=delivered,
                )
            except KafkaException as error:
                delivered(error.args[0])
        producer.flush()


def _delivered(message: Received, error: KafkaError | None, _copy: Message | None = None) -> None:
    if error is not None:
        place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
        log.warning("dead letter not copied", **place, why=error_words(error))


def _row(letter: Letter) -> dict[str, Any]:
    message = letter.message
    return {
        "reason": letter.reason,
        "error": _storable(letter.error),
        "stack_digest": letter.stack_digest,
        "source_topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "content_digest": message.content_digest(),
        "key": _storable(message.key),
        "headers": _headers(message.headers),
        "value": message.value,
    }


def _headers(headers: Headers) -> str:
    pairs = [[name.replace("\0", "\ufffd"), base64.b64encode(value).decode()] for name, value in headers]
    return msgspec.json.encode(pairs).decode()


def _storable(found: str | None) -> str | None:
    # PostgreSQL's text holds every character but NUL.
    return None if found is None else found.replace("\0", "\ufffd")


def _told(letter: Letter) -> Headers:
    message = letter.message
    return to_headers(
        DeadLetter(
            store="postgres",
            reason=letter.reason,
            error=letter.error or "",
            stack_digest=letter.stack_digest or "",
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
        )
    )
