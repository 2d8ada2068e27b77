"""The authors who mute others.

Revision ID: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "mutes",
        sa.Column("author_id", sa.Uuid(), sa.ForeignKey("authors.author_id"), nullable=False),
        sa.Column("muted_id", sa.Uuid(), sa.ForeignKey("authors.author_id"), nullable=False),
        sa.Column("muted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author_id", "muted_id"),
    )
    op.execute("CREATE INDEX mutes_of_author ON mutes (muted_id)")
