"""The clock of the database, which is the clock of everything that is stored: processes may differ by hours."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, literal_column

MICROSECONDS: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""The time in microseconds since the epoch, at the moment at which the expression is evaluated."""

NOW: Final = literal_column(MICROSECONDS, BigInteger)
