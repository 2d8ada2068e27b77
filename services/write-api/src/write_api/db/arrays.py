"""Statements over any number of rows. Each parameter is an array that has an element for every row.

Their text does not depend on the number of rows, so SQLAlchemy compiles them once and psycopg keeps them prepared. An
IN list, or an INSERT of many VALUES, is another statement for each length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, Select, any_, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

Rows = Mapping[str, Sequence[Any]]
"""The parameters of a statement of this module: by a column's name, its value in each row."""


def rows_of(columns: Sequence[Column[Any]]) -> Select[Any]:
    """Return a SELECT of the rows in the parameters, with these columns."""
    rows = func.unnest(*map(_array, columns)).table_valued(*(column.name for column in columns)).render_derived()
    return select(*rows.c)


def among(*columns: Column[Any]) -> ColumnElement[bool]:
    """Return the condition that these columns equal those of a row in the parameters."""
    return columns[0] == any_(_array(*columns)) if len(columns) == 1 else tuple_(*columns).in_(rows_of(columns))


def given(columns: Sequence[Column[Any]], rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Return the parameters of a statement over these columns."""
    there = list(rows)
    return {column.name: [row[column.name] for row in there] for column in columns}


def _array(column: Column[Any]) -> BindParameter[Any]:
    return bindparam(column.name, type_=ARRAY(column.type))
