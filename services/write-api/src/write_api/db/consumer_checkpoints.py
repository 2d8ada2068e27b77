"""The checkpoints of a consumer whose effects are in this database: they move in the transaction of the effects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec
import structlog
from sqlalchemy import CTE, BigInteger, Integer, all_, bindparam, case, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from cheeper_contracts.http.responses import COMMAND_RECORD_SECONDS
from write_api.bus.unit_of_work import Checkpoint, LogState
from write_api.db.arrays import given, rows_of
from write_api.db.clock import NOW
from write_api.db.engine import autocommitting
from write_api.db.faults import transient_faults
from write_api.db.schema.tables import consumer_checkpoints as table
from write_api.db.schema.tables import handled_commands

log = structlog.get_logger()

COLUMNS: Final = (table.c.topic, table.c.partition, table.c.topic_id, table.c.next_offset)
# Other names than those of the columns: SQLAlchemy would set a column to the parameter of its name.
_MOVED: Final = {
    name: bindparam(f"moved_{name}", type_=ARRAY(type_))
    for name, type_ in (
        *((column.name, column.type) for column in COLUMNS),
        ("since", BigInteger()),
    )
}
_MICROSECONDS: Final = 1_000_000
_insert = insert(table).from_select([*COLUMNS], rows_of(COLUMNS))
_same = (table.c.topic_id == _insert.excluded.topic_id) & (
    table.c.partition != all_(bindparam("replaced", type_=ARRAY(Integer)))
)
# A topic that was deleted and created again begins anew, and so does one that has lost the messages behind a
# checkpoint. What was not handled of the old one is lost.
_assign = _insert.on_conflict_do_update(
    index_elements=[table.c.topic, table.c.partition],
    set_={
        "topic_id": _insert.excluded.topic_id,
        "next_offset": case((_same, table.c.next_offset), else_=_insert.excluded.next_offset),
        "replaced_at": case((_same, table.c.replaced_at), else_=NOW),
    },
).returning(table.c.partition, table.c.next_offset)
_REPLACED_PARTITIONS = text(
    "SELECT partition FROM consumer_checkpoints"
    " JOIN unnest(CAST(:partitions AS int[]), CAST(:ends AS bigint[])) AS log (partition, log_end) USING (partition)"
    " WHERE topic = :topic AND (topic_id <> :topic_id OR next_offset > log_end)"
)
_READ = text(
    "SELECT partition, next_offset FROM consumer_checkpoints"
    " WHERE topic = :topic AND topic_id = :topic_id AND partition = ANY(:partitions)"
)
_REPLACED = text("SELECT max(replaced_at) FROM consumer_checkpoints WHERE topic = :topic")
_OVERDUE = select(func.count()).where(
    handled_commands.c.outcome.is_(None),
    handled_commands.c.accepted,
    handled_commands.c.at >= NOW - bindparam("kept", type_=BigInteger),
    handled_commands.c.at < NOW - bindparam("age", type_=BigInteger),
)


def moved() -> CTE:
    """Return the part of a statement that moves checkpoints forward, by the parameters of `parameters`.

    A consumer that has lost its partition, or reads a topic that was deleted, moves nothing back; and none moves a
    checkpoint that is older than it knows.
    """
    rows = func.unnest(*_MOVED.values()).table_valued(*_MOVED, name="moved").render_derived()
    return (
        update(table)
        .values(next_offset=rows.c.next_offset)
        .where(
            table.c.topic == rows.c.topic,
            table.c.partition == rows.c.partition,
            table.c.topic_id == rows.c.topic_id,
            table.c.next_offset < rows.c.next_offset,
            table.c.next_offset >= rows.c.since,
        )
        .returning(table.c.partition)
        .cte("moved_checkpoints")
    )


class Backlog(msgspec.Struct, frozen=True):
    """The number of accepted commands that are overdue, as far as a key reserved them, and the time at which the topic
    was last found to be another one, in seconds since the epoch, or None.
    """

    overdue: int
    replaced_at: float | None


class PostgresCheckpoints:
    """The checkpoints of one topic. Every method raises UnavailableError."""

    def __init__(self, engine: AsyncEngine, topic: str) -> None:
        self._engine = autocommitting(engine)
        self._topic = topic

    async def assigned(self, topic_id: str, logs: Mapping[int, LogState]) -> dict[int, int]:
        """Create the missing checkpoints of this topic id, and return the offset at which to read each partition.

        It is the one of the checkpoint, or the committed one if that is lower. A partition without a checkpoint, with
        one of another topic of that name, or with one beyond the end of its log begins at the committed offset, or else
        at 0, which becomes its checkpoint.

        A Kafka that was restored from an older copy has the topic's id and no messages of after the copy, and may have
        got new ones at their offsets. Its group's offset is as old as the copy. So whatever is behind it is read again:
        commands that were handled change nothing.
        """
        begin = {partition: min(log.committed or 0, log.end) for partition, log in logs.items()}
        rows = [
            {"topic": self._topic, "partition": partition, "topic_id": topic_id, "next_offset": offset}
            for partition, offset in sorted(begin.items())
        ]
        with transient_faults():
            async with self._engine.connect() as connection:
                ends = {"partitions": list(logs), "ends": [log.end for log in logs.values()]}
                known = {"topic": self._topic, "topic_id": topic_id, **ends}
                replaced = (await connection.execute(_REPLACED_PARTITIONS, known)).scalars().all()
                if replaced:
                    log.warning(
                        "the topic is another one, or has lost its end: commands that were accepted before and not "
                        "handled are lost; each is repaired by a repeat with its message id",
                        topic=self._topic,
                        partitions=sorted(replaced),
                    )
                found = await connection.execute(_assign, {**given(COLUMNS, rows), "replaced": list(replaced)})
                stored = {row.partition: row.next_offset for row in found}
        lower = {partition: log.committed for partition, log in logs.items() if log.committed is not None}
        return {partition: min(offset, lower.get(partition, offset)) for partition, offset in stored.items()}

    async def read(self, topic_id: str, partitions: Collection[int]) -> dict[int, int]:
        """Return the next offset of each of these partitions that has a checkpoint in the topic with that id."""
        with transient_faults():
            async with self._engine.connect() as connection:
                wanted = {"topic": self._topic, "topic_id": topic_id, "partitions": list(partitions)}
                return {row.partition: row.next_offset for row in await connection.execute(_READ, wanted)}

    async def backlog(self, seconds: float) -> Backlog:
        """Return what is overdue after that time, and not older than a command's record is kept.

        Whoever sent a command that is older can learn nothing of it any more, so it would be counted for ever.
        """
        ages = {"age": int(seconds * _MICROSECONDS), "kept": COMMAND_RECORD_SECONDS * _MICROSECONDS}
        with transient_faults():
            async with self._engine.connect() as connection:
                overdue = (await connection.execute(_OVERDUE, ages)).scalar_one()
                replaced = (await connection.execute(_REPLACED, {"topic": self._topic})).scalar_one()
                return Backlog(overdue, None if replaced is None else replaced / _MICROSECONDS)


def parameters(checkpoints: list[Checkpoint]) -> Mapping[str, list[object]]:
    """Return the parameters of `moved`, in the order in which every transaction locks the rows."""
    rows = sorted((msgspec.structs.asdict(one) for one in checkpoints), key=lambda row: row["partition"])
    return {f"moved_{name}": [row[name] for row in rows] for name in _MOVED}
