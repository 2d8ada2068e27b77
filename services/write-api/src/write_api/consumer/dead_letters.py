"""Parking dead letters in Postgres, and copying them to `cheeper.dead-letters`."""

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

from cheeper_contracts.kafka import dead_letters, topics
from cheeper_contracts.kafka.dead_letters import BEHIND
from cheeper_contracts.kafka.envelope import Headers
from cheeper_contracts.kafka.topics import Topic
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.bus.errors import UnavailableError
from write_api.consumer.message import ConsumedMessage, DeadLetter
from write_api.db.engine import autocommitting
from write_api.db.faults import transient_faults
from write_api.db.unit_of_work import lock
from write_api.kafka.errors import error_text

_COPY_SECONDS: Final = 5.0

log = structlog.get_logger()

_PARKED = text("SELECT DISTINCT key FROM dead_letters WHERE source_topic = :source AND key = ANY(:keys)")
_COUNT = text("SELECT count(*) FROM dead_letters WHERE source_topic = :source")
_HANDLED = text(
    "SELECT message_id::text FROM handled_commands WHERE message_id = ANY(CAST(:ids AS uuid[])) AND outcome IS NOT NULL"
)
_PARK = text(
    'INSERT INTO dead_letters (reason, error, stack_digest, source_topic, partition, "offset", content_digest, key,'
    " headers, value) VALUES (:reason, :error, :stack_digest, :source_topic, :partition, :offset, :content_digest,"
    " :key, CAST(:headers AS json), :value) ON CONFLICT DO NOTHING"
)


class PostgresDeadLetters:
    """The dead letters of one source topic: a key that is parked for one topic is not parked for another.

    Parking is idempotent: a message that is parked already stays as it is. Every method raises UnavailableError.
    """

    def __init__(self, engine: AsyncEngine, kafka: KafkaConnection, topic_prefix: str, source: Topic) -> None:
        self._engine = engine
        self._reading = autocommitting(engine)
        self._source = source.named(topic_prefix)
        self._topic = topics.DEAD_LETTERS.named(topic_prefix)
        self._config: dict[str, Any] = {
            **kafka.client_settings(),
            "enable.idempotence": True,
            "delivery.timeout.ms": int(_COPY_SECONDS * 1000),
            "batch.num.messages": 1,  # one that is too large is refused with all that is in its batch
            "allow.auto.create.topics": False,
            "log_level": 2,
        }

    async def parked_keys(self, keys: Collection[str]) -> set[str]:
        """Return the keys that have parked messages."""
        with transient_faults():
            async with self._reading.connect() as connection:
                return await self._parked_keys(connection, keys)

    async def handled(self, message_ids: Collection[str]) -> set[str]:
        """Return the message ids whose commands have been handled."""
        with transient_faults():
            async with self._reading.connect() as connection:
                return set((await connection.execute(_HANDLED, {"ids": list(message_ids)})).scalars())

    async def count(self) -> int:
        """Return the number of parked messages."""
        with transient_faults():
            async with self._reading.connect() as connection:
                return int((await connection.execute(_COUNT, {"source": self._source})).scalar_one())

    async def park(self, letters: Sequence[DeadLetter]) -> None:
        """Park the dead letters in this order, and copy them for people and tools. A copy that is lost is logged.

        Raise UnavailableError also if the poison before a letter was replayed or dropped meanwhile.
        """
        with transient_faults():
            async with self._engine.begin() as connection:
                await self._lock_keys(connection, letters)
                await connection.execute(_PARK, [_row(letter) for letter in letters])
        await asyncio.to_thread(self._copy, letters)

    async def _lock_keys(self, connection: AsyncConnection, letters: Sequence[DeadLetter]) -> None:
        """Lock the keys, as a replay does, and check that no message is parked behind poison that is gone."""
        keys = {letter.message.key for letter in letters if letter.message.key is not None}
        await lock(connection, keys)
        parked = await self._parked_keys(connection, keys)
        for letter in letters:
            key = letter.message.key
            if letter.reason == BEHIND and key not in parked:
                log.info("not parked: the poison of the key is gone", key=key)
                raise UnavailableError("the poison of a key is gone, and a message was to be parked behind it")
            parked |= {key} if key is not None else set()

    async def _parked_keys(self, connection: AsyncConnection, keys: Collection[str]) -> set[str]:
        storable = {_storable(key): key for key in keys}
        parked = (await connection.execute(_PARKED, {"source": self._source, "keys": list(storable)})).scalars()
        return {storable[key] for key in parked}

    def _copy(self, letters: Sequence[DeadLetter]) -> None:
        # Poison is rare: a producer for each call is cheaper than one that is kept.
        producer = Producer(self._config)
        for letter in letters:
            on_delivery = partial(_on_delivery, letter.message)
            try:
                producer.produce(
                    self._topic,
                    value=letter.message.value,
                    key=letter.message.key,
                    partition=0,
                    headers=[*letter.message.headers, *_headers_of(letter)],
                    on_delivery=on_delivery,
                )
            except KafkaException as error:
                on_delivery(error.args[0])
        producer.flush()


def _on_delivery(message: ConsumedMessage, error: KafkaError | None, _copy: Message | None = None) -> None:
    if error is not None:
        log.warning(
            "dead letter not copied",
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            reason=error_text(error),
        )


def _row(letter: DeadLetter) -> dict[str, Any]:
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
        "headers": _json(message.headers),
        "value": message.value,
    }


def _json(headers: Headers) -> str:
    pairs = [[name.replace("\0", "\ufffd"), base64.b64encode(value).decode()] for name, value in headers]
    return msgspec.json.encode(pairs).decode()


def _storable(value: str | None) -> str | None:
    # PostgreSQL's text holds every character except NUL.
    return None if value is None else value.replace("\0", "\ufffd")


def _headers_of(letter: DeadLetter) -> Headers:
    message = letter.message
    return dead_letters.to_headers(
        dead_letters.DeadLetter(
            store="postgres",
            reason=letter.reason,
            error=letter.error or "",
            stack_digest=letter.stack_digest or "",
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
        )
    )
