"""The write model: authors, follows, cheeps, and the record of commands.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "authors",
        sa.Column("author_id", sa.Uuid(), primary_key=True),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_unique_form", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("bio", sa.Text()),
        sa.Column("location", sa.Text()),
        sa.Column("website", sa.Text()),
        sa.Column("birth_date", sa.Date()),
        sa.Column("signed_up_at", sa.BigInteger(), nullable=False),
        sa.Column("sign_up_digest", sa.LargeBinary(), nullable=False, comment="of what was first sent"),
        sa.UniqueConstraint("email_unique_form", name="one_email"),
    )
    op.create_index("one_username", "authors", [sa.text("lower(username)")], unique=True)
    op.create_table(
        "follows",
        sa.Column("follow_id", sa.Uuid(), nullable=False),
        sa.Column("from_author_id", sa.Uuid(), nullable=False),
        sa.Column("to_author_id", sa.Uuid(), nullable=False),
        sa.Column("followed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("to_author_id", "from_author_id"),
        sa.UniqueConstraint("follow_id", name="one_pair_a_follow_id"),
        sa.ForeignKeyConstraint(["from_author_id"], ["authors.author_id"], name="follower_signed_up"),
        sa.ForeignKeyConstraint(["to_author_id"], ["authors.author_id"], name="followed_signed_up"),
    )
    op.create_index("follows_of_author", "follows", ["from_author_id"])
    op.create_table(
        "cheeps",
        sa.Column("cheep_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), sa.ForeignKey("authors.author_id"), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("cheep_date", sa.BigInteger(), nullable=False),
        sa.Column("post_digest", sa.LargeBinary(), nullable=False, comment="of what was first sent"),
        sa.Column("in_reply_to", sa.Uuid(), sa.ForeignKey("cheeps.cheep_id")),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("cheep_id", name="one_cheep_an_id"),
        sa.UniqueConstraint("author_id", "cheep_date", name="one_cheep_a_moment"),
    )
    op.create_table(
        "handled_commands",
        sa.Column("message_id", sa.Uuid(), primary_key=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False, comment="its sender was told that it is accepted"),
        sa.Column("outcome", sa.JSON(), comment="none while the command is only reserved"),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
