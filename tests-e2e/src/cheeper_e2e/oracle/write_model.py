"""The write model in SQL, with columns that are named and shaped as responses have them."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final, Self

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]


def time_of(column: str) -> str:
    """The SQL of a time as responses show it, from microseconds since the epoch."""
    return f"""to_char(to_timestamp({column} / 1000000), 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')"""


def exact_time_of(column: str) -> str:
    """The SQL of a time with its microseconds, as responses show it."""
    return f"""to_char(to_timestamp({column} / 1000000), 'YYYY-MM-DD"T"HH24:MI:SS.') ||
    lpad(mod({column}, 1000000)::text, 6, '0') || '+00:00'"""


PROFILE: Final = f"""
    a.author_id::text, a.username, a.name, a.bio, a.location, a.website,
    to_char(a.birth_date, 'YYYY-MM-DD') AS birth_date, {time_of("a.signed_up_at")} AS signed_up_at,
    (SELECT count(*) FROM follows WHERE to_author_id = a.author_id) AS followers,
    (SELECT count(*) FROM follows WHERE from_author_id = a.author_id) AS following,
    (SELECT count(*) FROM cheeps WHERE author_id = a.author_id AND deleted_at IS NULL) AS cheeps
"""
"""A profile's columns, of `authors a`."""

CHEEP: Final = f"""
    c.cheep_id::text, {time_of("c.cheep_date")} AS cheep_date, c.message AS cheep_message, c.author_id::text,
    w.username AS author_username, c.in_reply_to::text, {time_of("c.edited_at")} AS edited_at,
    {exact_time_of("c.cheep_date")} AS posted_at
"""
"""A cheep's columns, of `cheeps c` and its author `authors w`."""


class WriteModel:
    """A connection that only reads."""

    def __init__(self, database_url: str) -> None:
        self._connection = psycopg.connect(
            database_url, options="-c timezone=UTC -c default_transaction_read_only=on", autocommit=True
        )
        self._cursor = self._connection.cursor(row_factory=dict_row)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def rows(self, query: str, *values: object) -> list[Row]:
        """The rows of a query."""
        return self._cursor.execute(query.encode(), values).fetchall()
