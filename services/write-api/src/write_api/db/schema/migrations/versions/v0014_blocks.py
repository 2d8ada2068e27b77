"""The authors who block others.

Revision ID: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "blocks",
        sa.Column("author_id", sa.Uuid(), sa.ForeignKey("authors.author_id"), nullable=False),
        sa.Column("blocked_id", sa.Uuid(), sa.ForeignKey("authors.author_id"), nullable=False),
        sa.Column("blocked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author_id", "blocked_id"),
    )
