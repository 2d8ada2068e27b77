"""Replaying parked messages: the current code decodes and runs those of a key in order, up to the next poison."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from write_api.bus.errors import UnavailableError
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer.batch import Decode
from write_api.consumer.message import ConsumedMessage, DeadLetter, crashed
from write_api.db.engine import autocommitting
from write_api.db.faults import transient_faults
from write_api.db.unit_of_work import lock

_COLUMNS = (
    'id, parked_at, reason, error, stack_digest, source_topic, partition, "offset", key, headers, value'
    " FROM dead_letters WHERE source_topic = ANY(:topics)"
)
_ALL = text(f"SELECT {_COLUMNS} ORDER BY id")
_OF_ID = text(f"SELECT {_COLUMNS} AND id = :id")
_FIRST = text(f"SELECT {_COLUMNS} AND key IS NOT DISTINCT FROM :key ORDER BY id LIMIT 1")  # noqa: S608 - our own words
_REMOVE = text("DELETE FROM dead_letters WHERE id = :id")
_UPDATE = text("UPDATE dead_letters SET reason = :reason, error = :error, stack_digest = :stack_digest WHERE id = :id")


class ParkedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter in the store. The dead letters of a key are replayed in the order of their ids."""

    id: int
    parked_at: datetime
    letter: DeadLetter

    @property
    def key(self) -> str | None:
        """The key whose later messages wait behind it."""
        return self.letter.message.key


RunAndRemove = Callable[[ParkedMessage, Sequence[ReceivedCommand]], Awaitable[object]]
"""Runs the commands of a parked message and removes it, idempotently. Raises as `batch.Run` does."""


class ParkedMessages:
    """The parked messages of these topics. Every method raises UnavailableError."""

    def __init__(self, engine: AsyncEngine, topics: Collection[str]) -> None:
        self._engine = engine
        self._reading = autocommitting(engine)
        self._topics = list(topics)

    async def all(self) -> list[ParkedMessage]:
        """Return all of them in the order in which they were parked."""
        with transient_faults():
            async with self._reading.connect() as connection:
                return [_parked(row) for row in await connection.execute(_ALL, {"topics": self._topics})]

    async def of_id(self, letter_id: int) -> ParkedMessage | None:
        """Return the one with that id, or None."""
        with transient_faults():
            async with self._reading.connect() as connection:
                row = (await connection.execute(_OF_ID, {"topics": self._topics, "id": letter_id})).first()
        return None if row is None else _parked(row)

    async def first_of(self, key: str | None) -> ParkedMessage | None:
        """Return the next message of a key to replay, or None."""
        with transient_faults():
            async with self._reading.connect() as connection:
                row = (await connection.execute(_FIRST, {"topics": self._topics, "key": key})).first()
        return None if row is None else _parked(row)

    async def remove(self, parked: ParkedMessage) -> bool:
        """Remove it under the lock of its key. Return False if it was gone already."""
        with transient_faults():
            async with self._engine.begin() as connection:
                if parked.key is not None:
                    await lock(connection, [parked.key])
                return await remove_in(connection, parked)

    async def update(self, parked: ParkedMessage, letter: DeadLetter) -> None:
        """Replace the reason for which it is parked."""
        reason = {"reason": letter.reason, "error": letter.error, "stack_digest": letter.stack_digest}
        with transient_faults():
            async with self._engine.begin() as connection:
                await connection.execute(_UPDATE, {"id": parked.id, **reason})


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one replay: the message was handled, or it is still `poison`."""

    parked: ParkedMessage
    poison: DeadLetter | None = None


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The parked messages of one source topic, with the functions that decode and run them."""

    parked: ParkedMessages
    decode: Decode
    run: RunAndRemove

    async def of_key(self, key: str | None) -> AsyncIterator[Replayed]:
        """Replay the parked messages of a key one by one, including those that are parked meanwhile.

        The last result may be a message that is still poison, which stays with those behind it. Raise UnavailableError,
        after which the replay may be started again.
        """
        while (parked := await self.parked.first_of(key)) is not None:
            poison = await self._replay(parked)
            if poison is not None:
                await self.parked.update(parked, poison)
                yield Replayed(parked=parked, poison=poison)
                return
            yield Replayed(parked=parked)

    async def _replay(self, parked: ParkedMessage) -> DeadLetter | None:
        message = parked.letter.message
        content = self.decode(message)
        if isinstance(content, DeadLetter):
            return content
        try:
            await self.run(parked, content)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - our own code still crashes on it
            return crashed(message, error)
        return None


async def remove_in(connection: AsyncConnection, parked: ParkedMessage) -> bool:
    """Remove it in a transaction that holds the lock of its key. Return False if it was gone already."""
    return bool((await connection.execute(_REMOVE, {"id": parked.id})).rowcount)


def _parked(row: Row[Any]) -> ParkedMessage:
    message = ConsumedMessage(
        topic=row.source_topic,
        partition=row.partition,
        offset=row.offset,
        key=row.key,
        headers=[(name, base64.b64decode(value)) for name, value in row.headers],
        value=None if row.value is None else bytes(row.value),
    )
    letter = DeadLetter(message=message, reason=row.reason, error=row.error, stack_digest=row.stack_digest)
    return ParkedMessage(id=row.id, parked_at=row.parked_at, letter=letter)
