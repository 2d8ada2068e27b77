"""The notifications of authors.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "notifications",
        sa.Column("notification_id", sa.Uuid(), primary_key=True),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("notified_at", sa.BigInteger(), nullable=False),
        sa.Column("from_author_id", sa.Uuid()),
        sa.Column("cheep_id", sa.Uuid()),
        sa.CheckConstraint("kind IN ('welcome', 'new_follower', 'answer')", name="known_kind"),
        sa.ForeignKeyConstraint(["author_id"], ["authors.author_id"], name="notified_signed_up"),
        sa.ForeignKeyConstraint(["from_author_id"], ["authors.author_id"], name="notifier_signed_up"),
        sa.ForeignKeyConstraint(["cheep_id"], ["cheeps.cheep_id"], name="answer_posted"),
    )
    op.create_index("notifications_of_author", "notifications", ["author_id", "notified_at"])
