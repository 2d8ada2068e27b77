"""Statements over any number of rows, each value an array with a place for every row.

Their text is the same for any number, so SQLAlchemy compiles them once and psycopg has them prepared. An IN list, or an
INSERT of many VALUES, is another statement for each length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, Select, any_, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

Rows = Mapping[str, Sequence[Any]]
"""By a column's name its value in each row: what a statement of this module is executed with."""


def rows_of(columns: Sequence[Column[Any]]) -> Select[Any]:
    """The rows that it is executed with, of these columns."""
    rows = func.unnest(*map(_array, columns)).table_valued(*(column.name for column in columns)).render_derived()
    return select(*rows.c)


def among(*columns: Column[Any]) -> ColumnElement[bool]:
    """That these columns are as in one of the rows that it is executed with."""
    return columns[0] == any_(_array(*columns)) if len(columns) == 1 else tuple_(*columns).in_(rows_of(columns))


def given(columns: Sequence[Column[Any]], rows: Iterable[Mapping[str, Any]]) -> Rows:
    """What a statement over these columns is executed with."""
    there = list(rows)
    return {column.name: [row[column.name] for row in there] for column in columns}


def _array(column: Column[Any]) -> BindParameter[Any]:
    return bindparam(column.name, type_=ARRAY(column.type))
