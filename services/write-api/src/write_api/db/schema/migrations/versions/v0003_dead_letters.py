"""Commands that cannot be handled, parked with their Kafka metadata, and later commands of their keys behind them.

Revision ID: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table. A message is known again by its place and content, since a wiped topic's offsets begin again."""
    op.execute(
        """
        CREATE TABLE dead_letters (
            id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
            parked_at timestamptz NOT NULL DEFAULT now(),
            reason text NOT NULL CHECK (reason IN ('malformed', 'unknown type', 'crashed', 'behind')),
            error text,
            stack_digest text,
            source_topic text NOT NULL,
            "partition" integer NOT NULL,
            "offset" bigint NOT NULL,
            content_digest bytea NOT NULL,
            key text,
            headers json NOT NULL,
            value bytea,
            UNIQUE (source_topic, "partition", "offset", content_digest)
        )
        """
    )
    op.execute("CREATE INDEX dead_letters_of_key ON dead_letters (key, id)")
    op.execute("COMMENT ON COLUMN dead_letters.headers IS 'pairs of name and value, the value in base64'")
