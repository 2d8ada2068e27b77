"""The letters that are parked, for people: to be looked at, replayed and dropped."""

from __future__ import annotations

import base64
from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from write_api.consumer.message import Letter, Received
from write_api.db.engine import autocommitting
from write_api.db.faults import transient_faults
from write_api.db.unit_of_work import lock

_COLUMNS = (
    'id, parked_at, reason, error, stack_digest, source_topic, partition, "offset", key, headers, value'
    " FROM dead_letters WHERE source_topic = ANY(:topics)"
)
_ALL = text(f"SELECT {_COLUMNS} ORDER BY id")
_OF_ID = text(f"SELECT {_COLUMNS} AND id = :id")
_FIRST = text(f"SELECT {_COLUMNS} AND key IS NOT DISTINCT FROM :key ORDER BY id LIMIT 1")  # noqa: S608 - of our own words
_FORGET = text("DELETE FROM dead_letters WHERE id = :id")
_RESTATE = text("UPDATE dead_letters SET reason = :reason, error = :error, stack_digest = :stack_digest WHERE id = :id")


class ParkedLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter and its place among all: letters of a key are handled in the order of their ids."""

    id: int
    parked_at: datetime
    letter: Letter

    @property
    def key(self) -> str | None:
        """The author whose later messages wait behind it."""
        return self.letter.message.key


class ParkedLetters:
    """The letters of these topics. Every method raises UnavailableError."""

    def __init__(self, engine: AsyncEngine, topics: Collection[str]) -> None:
        self._engine = engine
        self._reading = autocommitting(engine)
        self._topics = list(topics)

    async def all(self) -> list[ParkedLetter]:
        """All of them, in the order in which they were parked."""
        with transient_faults():
            async with self._reading.connect() as connection:
                return [_parked(row) for row in await connection.execute(_ALL, {"topics": self._topics})]

    async def of_id(self, letter_id: int) -> ParkedLetter | None:
        """The one with that id."""
        with transient_faults():
            async with self._reading.connect() as connection:
                row = (await connection.execute(_OF_ID, {"topics": self._topics, "id": letter_id})).first()
        return None if row is None else _parked(row)

    async def first_of(self, key: str | None) -> ParkedLetter | None:
        """The next one of a key to be replayed."""
        with transient_faults():
            async with self._reading.connect() as connection:
                row = (await connection.execute(_FIRST, {"topics": self._topics, "key": key})).first()
        return None if row is None else _parked(row)

    async def forget(self, parked: ParkedLetter) -> bool:
        """Remove it, under the lock of its key; false where it was gone already."""
        with transient_faults():
            async with self._engine.begin() as connection:
                if parked.key is not None:
                    await lock(connection, [parked.key])
                return await forget_in(connection, parked)

    async def restate(self, parked: ParkedLetter, now: Letter) -> None:
        """Keep another reason for it."""
        said = {"reason": now.reason, "error": now.error, "stack_digest": now.stack_digest}
        with transient_faults():
            async with self._engine.begin() as connection:
                await connection.execute(_RESTATE, {"id": parked.id, **said})


async def forget_in(connection: AsyncConnection, parked: ParkedLetter) -> bool:
    """Remove it in a transaction that holds the lock of its key; false where it was gone already."""
    return bool((await connection.execute(_FORGET, {"id": parked.id})).rowcount)


def _parked(row: Row[Any]) -> ParkedLetter:
    message = Received(
        topic=row.source_topic,
        partition=row.partition,
        offset=row.offset,
        key=row.key,
        headers=[(name, base64.b64decode(value)) for name, value in row.headers],
        value=None if row.value is None else bytes(row.value),
    )
    letter = Letter(message=message, reason=row.reason, error=row.error, stack_digest=row.stack_digest)
    return ParkedLetter(id=row.id, parked_at=row.parked_at, letter=letter)
