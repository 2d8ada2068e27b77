"""Cheeps know when their text was last changed.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column, which is null for existing cheeps: none of them has been edited."""
    op.add_column("cheeps", sa.Column("edited_at", sa.BigInteger()))
