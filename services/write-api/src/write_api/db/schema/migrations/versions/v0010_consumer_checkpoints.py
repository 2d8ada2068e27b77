"""The worker's checkpoints: the next offset of each partition, written together with the commands that it handled.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table, and the index by which reserved commands that wait for their outcome are counted."""
    op.create_table(
        "consumer_checkpoints",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("replaced_at", sa.BigInteger(), comment="when the topic was found to be another one"),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.execute("CREATE INDEX commands_without_outcome ON handled_commands (at) WHERE outcome IS NULL")
