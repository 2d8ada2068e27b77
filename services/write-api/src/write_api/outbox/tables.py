"""The outbox and the relay's cursor as tables.

The outbox is insert-only and partitioned by month; it is the event log, so nothing updates or deletes its rows, and
what has been relayed is said elsewhere: `relay_cursor` (one row) and `relay_partitions` (one per Kafka partition).

The relay reads rows by (epoch, xid, id). `xid` is the transaction that wrote the row, so that a reader knows which
rows can still be joined by others; `epoch` comes from the column's default alone and rises with `raise-epoch`, since
xids start again when a database is restored elsewhere.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.types import UserDefinedType


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id, which does not wrap around; as text here, since drivers do not know it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in DDL."""
        return "xid8"


metadata = MetaData()

outbox = Table(
    "outbox",
    metadata,
    Column("epoch", Integer, server_default=text("1"), nullable=False),
    Column("xid", Xid8, server_default=text("pg_current_xact_id()"), nullable=False),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("created_at", DateTime(timezone=True), server_default=text("now()"), nullable=False),
    Column("message_id", Uuid(as_uuid=False), nullable=False),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("time", BigInteger, nullable=False, comment="microseconds since 1970, UTC"),
    Column("key", Text, nullable=False),
    Column("correlation_id", Uuid(as_uuid=False), nullable=False),
    Column("reply_to", Uuid(as_uuid=False)),
    Column("traceparent", Text),
    # json, not jsonb: what is sent again must be the same bytes.
    Column("payload", JSON, nullable=False),
    Index("outbox_order", "epoch", "xid", "id"),
    postgresql_partition_by="RANGE (created_at)",
)

relay_cursor = Table(
    "relay_cursor",
    metadata,
    Column("only", SmallInteger, CheckConstraint("only = 1", name="relay_cursor_one_row"), server_default=text("1")),
    Column("epoch", Integer, nullable=False),
    Column("xid", Xid8, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("first_epoch", Integer, comment="the first row of all, to know at a resend that it is still there"),
    Column("first_xid", Xid8),
    Column("first_id", BigInteger),
    Column("system_identifier", BigInteger, nullable=False),
    Column("timeline_id", Integer, nullable=False),
    PrimaryKeyConstraint("only"),
)

relay_partitions = Table(
    "relay_partitions",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("topic_id", Text, nullable=False),
    Column("last_offset", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
)
