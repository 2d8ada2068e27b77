"""The write model in one snapshot: rows, the relay's checkpoint, and spans of ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, LiteralString

import msgspec
from psycopg import Connection, OperationalError, errors

from cheeper_audit.stores import StoreUnavailableError
from cheeper_contracts.partitions import PARTITIONS

Table = Literal["authors", "cheeps", "notifications"]

Place = tuple[int, str, int]
"""The place of a row in the outbox: epoch, transaction as text, id."""

_IDS: Final[dict[Table, LiteralString]] = {
    "authors": "author_id",
    "cheeps": "cheep_id",
    "notifications": "notification_id",
}
_START: Final[Place] = (0, "0", 0)
_BACKLOG_SHOWN: Final = 10_000

_CURSOR: Final = "SELECT epoch, xid::text, id FROM relay_cursor"
_SENT: Final = 'SELECT "partition", last_sequence FROM relay_partitions'
_BACKLOG: Final = """
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp()) - min("time") / 1e6, 0)::float8
      FROM (SELECT "time" FROM outbox AS o WHERE (o.epoch, o.xid, o.id) > (%s, %s::xid8, %s)
             ORDER BY o.epoch, o.xid, o.id LIMIT %s) AS waiting
"""
_LAST: Final = """
    SELECT o.epoch, o.xid::text, o.id FROM outbox AS o ORDER BY o.epoch DESC, o.xid DESC, o.id DESC LIMIT 1
"""
_IS_SENT: Final = "SELECT (c.epoch, c.xid, c.id) >= (%s, %s::xid8, %s) FROM relay_cursor AS c"


class Span(msgspec.Struct, frozen=True):
    """The ids in the write model behind `after`, up to `upto`; None is an open end."""

    after: str | None
    upto: str | None
    ids: tuple[str, ...]


class Relayed(msgspec.Struct, frozen=True):
    """The relay's checkpoint: the last sequence by partition, the number of waiting rows, and the age of the first one.

    If none waits, the sequences are those of all that led to the snapshot's rows, since a row of the outbox is written
    in the same transaction as the rows that it describes.
    """

    sequences: dict[int, int]
    waiting: int
    seconds: float


class WriteModel:
    """A connection that reads one snapshot (REPEATABLE READ) after the other."""

    def __init__(self, connection: Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def refresh(self) -> None:
        """Leave the snapshot: the next statement begins a new one. Raise StoreUnavailableError."""
        try:
            self._connection.rollback()
        except OperationalError as error:
            raise StoreUnavailableError("The PostgreSQL at DATABASE_URL cannot be reached.") from error

    def rows(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query. Raise StoreUnavailableError."""
        try:
            return self._connection.execute(query, values).fetchall()
        except OperationalError as error:
            raise StoreUnavailableError(
                "The PostgreSQL at DATABASE_URL cannot be reached, or does not serve."
            ) from error
        except (errors.UndefinedTable, errors.UndefinedColumn, errors.InsufficientPrivilege) as error:
            raise StoreUnavailableError(
                "The database at DATABASE_URL has no write model of this version, or may not be read."
            ) from error

    def relayed(self) -> Relayed:
        """Return the relay's checkpoint."""
        sequences = dict.fromkeys(range(PARTITIONS), 0) | dict(self.rows(_SENT))
        cursor = next(iter(self.rows(_CURSOR)), _START)
        [(waiting, seconds)] = self.rows(_BACKLOG, *cursor, _BACKLOG_SHOWN)
        return Relayed(sequences, waiting, seconds)

    def last_place(self) -> Place:
        """Return the place of the last event that led to the snapshot's rows."""
        epoch, xid, row_id = next(iter(self.rows(_LAST)), _START)
        return epoch, xid, row_id

    def is_sent(self, place: Place) -> bool:
        """Return whether the relay's cursor has reached a place."""
        return place == _START or self.rows(_IS_SENT, *place) == [(True,)]

    def count(self, table: Table) -> int:
        """Return the number of rows."""
        [(number,)] = self.rows(f"SELECT count(*) FROM {table}")
        return int(number)

    def bounds(self, table: Table) -> tuple[str, str] | None:
        """Return the lowest and the highest id, or None if the table is empty."""
        name = _IDS[table]
        ends = [self.rows(f"SELECT {name}::text FROM {table} ORDER BY {table}.{name} {way} LIMIT 1") for way in _WAYS]
        return (ends[0][0][0], ends[1][0][0]) if ends[0] else None

    def span(self, table: Table, after: str | None, size: int) -> Span:
        """Return the next `size` ids behind that one; the last span has an open end."""
        ids = self._ids(table, after, None, size)
        return Span(after, ids[-1] if len(ids) == size else None, ids)

    def current(self, table: Table, span: Span) -> Span:
        """Return the span with its ids as they are now."""
        return msgspec.structs.replace(span, ids=self._ids(table, span.after, span.upto, None))

    def known(self, table: Table, ids: Sequence[str]) -> set[str]:
        """Return the UUIDs that the table has."""
        name = _IDS[table]
        found = self.rows(f"SELECT {name}::text FROM {table} WHERE {name} = ANY(%s::uuid[])", list(ids))
        return {identifier for (identifier,) in found}

    def _ids(self, table: Table, after: str | None, upto: str | None, size: int | None) -> tuple[str, ...]:
        name = _IDS[table]
        # The conditions are put together, so that each is a bound of the index and none a filter behind it.
        behind = f"{table}.{name} > %s::uuid" if after is not None else "%s::uuid IS NULL"
        within = f"{table}.{name} <= %s::uuid" if upto is not None else "%s::uuid IS NULL"
        found = self.rows(
            f"SELECT {name}::text FROM {table} WHERE {behind} AND {within} ORDER BY {table}.{name} LIMIT %s",
            after,
            upto,
            size,
        )
        return tuple(identifier for (identifier,) in found)


_WAYS: Final[tuple[LiteralString, ...]] = ("ASC", "DESC")
