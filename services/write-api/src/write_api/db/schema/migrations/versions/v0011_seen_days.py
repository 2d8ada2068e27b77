"""The days that an active relay has seen on the database's clock, by which the retention of the outbox counts.

Revision ID: 0011
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table, empty: after an upgrade a whole retention passes before anything is dropped."""
    op.execute("CREATE TABLE seen_days (day date PRIMARY KEY)")
    op.execute("COMMENT ON TABLE seen_days IS 'what the clock showed while a relay was active; a jump adds one day'")
