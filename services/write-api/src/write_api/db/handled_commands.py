"""The record of commands by message id: those that are reserved, and the outcomes of those that were handled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from write_api.bus.errors import MessageIdTakenError
from write_api.bus.outcome import KnownCommand, Outcome
from write_api.bus.unit_of_work import Checkpoint, HandledCommand
from write_api.db import consumer_checkpoints
from write_api.db.arrays import among, given, rows_of
from write_api.db.faults import transient_faults
from write_api.db.schema.tables import handled_commands as table

_columns = (table.c.message_id, table.c.digest, table.c.accepted, table.c.outcome)
_of_ids = select(*_columns).where(among(table.c.message_id))
_all = tuple(table.c)
_insert = insert(table).from_select(_all, rows_of(_all))
# A reserved command gets its outcome; a row that another command has just taken is left alone, and counted as missing.
_record = _insert.on_conflict_do_update(
    index_elements=[table.c.message_id],
    set_={"outcome": _insert.excluded.outcome, "accepted": table.c.accepted | _insert.excluded.accepted},
    where=table.c.outcome.is_(None) & (table.c.digest == _insert.excluded.digest),
).returning(table.c.message_id)
_record_and_move = _record.add_cte(consumer_checkpoints.moved())
_open = table.c.outcome.is_(None)
_reserving = insert(table)
# A repeat is accepted anew, also if the first was not.
_reserve = _reserving.on_conflict_do_update(
    index_elements=[table.c.message_id],
    set_={"accepted": True, "at": _reserving.excluded.at},
    where=_open & (table.c.digest == _reserving.excluded.digest),
)
_withdraw = (
    update(table)
    .where(_open, table.c.message_id == bindparam("of"), table.c.at == bindparam("reserved_at"))
    .values(accepted=False)
)


async def of_ids(connection: AsyncConnection, message_ids: Collection[str]) -> dict[str, KnownCommand]:
    """Return what is recorded of the commands with these message ids."""
    rows = await connection.execute(_of_ids, {"message_id": list(message_ids)})
    return {row.message_id: _known(row) for row in rows}


async def record(
    connection: AsyncConnection, handled: Sequence[HandledCommand], checkpoints: Sequence[Checkpoint] = ()
) -> None:
    """Record the outcomes of commands and, in the same statement, move checkpoints.

    Raise MessageIdTakenError if a command of another key has taken a message id meanwhile, which the locks do not
    prevent.
    """
    if not handled and not checkpoints:
        return
    rows = [
        {
            "message_id": one.message_id,
            "digest": one.digest,
            "key": one.key,
            "accepted": one.accepted,
            "outcome": msgspec.to_builtins(one.outcome),
            "at": one.envelope.time,
        }
        for one in handled
    ]
    if checkpoints:
        values = {**given(_all, rows), **consumer_checkpoints.parameters([*checkpoints])}
        recorded = await connection.execute(_record_and_move, values)
    else:
        recorded = await connection.execute(_record, given(_all, rows))
    if len(recorded.all()) != len(rows):
        raise MessageIdTakenError("a message id was taken by another command meanwhile")


class PostgresReservations:
    """Reserves message ids, each in a transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def reserve(self, message_id: str, digest: bytes, key: str, at: int) -> KnownCommand:
        """Reserve the message id as `bus.dispatcher.Reservations` describes."""
        row = {"message_id": message_id, "digest": digest, "key": key, "accepted": True, "at": at}
        with transient_faults():
            async with self._engine.begin() as connection:
                await connection.execute(_reserve, row)
                return (await of_ids(connection, [message_id]))[message_id]

    async def withdraw(self, message_id: str, at: int) -> None:
        """Withdraw the reservation as `bus.dispatcher.Reservations` describes."""
        with transient_faults():
            async with self._engine.begin() as connection:
                await connection.execute(_withdraw, {"of": message_id, "reserved_at": at})


def _known(row: Row[Any, Any, Any, Any]) -> KnownCommand:
    return KnownCommand(
        digest=bytes(row.digest),
        accepted=row.accepted,
        outcome=None if row.outcome is None else msgspec.convert(row.outcome, Outcome),
    )
