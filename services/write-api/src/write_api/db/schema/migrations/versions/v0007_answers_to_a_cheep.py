"""The answers to a cheep are found by an index, so that the audit can count them.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the index. It holds answers alone, so a cheep that answers nothing costs no write."""
    op.create_index("answers_to_cheep", "cheeps", ["in_reply_to"], postgresql_where=sa.text("in_reply_to IS NOT NULL"))
