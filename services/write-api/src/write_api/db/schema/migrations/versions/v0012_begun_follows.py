"""The follows that authors began within the last day, for the quota of them.

Revision ID: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the table, empty: a quota counts from the moment at which it is set."""
    op.create_table(
        "begun_follows",
        sa.Column("from_author_id", sa.Uuid(), nullable=False),
        sa.Column("followed_at", sa.BigInteger(), nullable=False),
        comment="the follows that count for the quota of a day, also those that ended since; empty without that quota",
    )
    op.execute("CREATE INDEX begun_follows_of_author ON begun_follows (from_author_id, followed_at)")
