"""The outbox, and where the relay has got to.

The outbox is insert-only and partitioned by month; it is the event log, so nothing updates or deletes its rows. What
has been relayed is said elsewhere: in `relay_cursor`, one row, and `relay_partitions`, one row per Kafka partition.

Rows are read by (epoch, xid, id). `xid` is the transaction that wrote a row, by which a reader knows up to where no
more rows can come. `epoch` comes from the column's default alone; `raise-epoch` raises that, since xids may begin
again where a database is restored.

Revision ID: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables; migration 0016 makes the partitions of the next months."""
    # The payload is json, not jsonb: what is sent again must be the same bytes.
    op.execute(
        """
        CREATE TABLE outbox (
            epoch integer NOT NULL DEFAULT 1,
            xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
            id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
            created_at timestamptz NOT NULL DEFAULT now(),
            message_id uuid NOT NULL,
            type text NOT NULL,
            source text NOT NULL,
            "time" bigint NOT NULL,
            key text NOT NULL,
            correlation_id uuid NOT NULL,
            reply_to uuid,
            traceparent text,
            payload json NOT NULL
        ) PARTITION BY RANGE (created_at)
        """
    )
    op.execute("CREATE INDEX outbox_order ON outbox (epoch, xid, id)")
    op.execute("CREATE TABLE outbox_default PARTITION OF outbox DEFAULT")
    op.execute(
        """
        CREATE TABLE relay_cursor (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            epoch integer NOT NULL,
            xid xid8 NOT NULL,
            id bigint NOT NULL,
            first_epoch integer,
            first_xid xid8,
            first_id bigint,
            system_identifier bigint NOT NULL,
            timeline_id integer NOT NULL,
            current_epoch integer NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE relay_partitions (
            "partition" integer PRIMARY KEY,
            topic_id text NOT NULL,
            last_offset bigint NOT NULL,
            last_sequence bigint NOT NULL
        )
        """
    )
    op.execute("COMMENT ON COLUMN relay_cursor.first_id IS 'of the first row of all: a resend must begin with it'")
    op.execute("COMMENT ON COLUMN relay_cursor.current_epoch IS 'the default of outbox.epoch'")
