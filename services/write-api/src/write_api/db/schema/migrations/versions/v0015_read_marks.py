"""The newest notification that each author has read.

Revision ID: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the columns, empty: nobody has read anything."""
    op.add_column("authors", sa.Column("read_notified_at", sa.BigInteger()))
    op.add_column("authors", sa.Column("read_notification_id", sa.Uuid()))
