"""Accounts, codes, sessions, buckets and signing keys.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0001"
down_revision = None

_SCHEMA = "identity"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.Uuid(as_uuid=False), primary_key=True),
        sa.Column("address", sa.Text(), nullable=False, unique=True, comment="without case"),
        sa.Column("password", sa.Text(), nullable=False, comment="a hash by Argon2id"),
        sa.Column("roles", ARRAY(sa.Text()), nullable=False, server_default="{}"),
        schema=_SCHEMA,
    )
    op.create_table(
        "codes",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column("address", sa.Text(), nullable=False, index=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
        schema=_SCHEMA,
    )
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Uuid(as_uuid=False), primary_key=True),
        sa.Column(
            "account_id",
            sa.Uuid(as_uuid=False),
            sa.ForeignKey(f"{_SCHEMA}.accounts.account_id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("rotated_at", sa.BigInteger(), nullable=False),
        sa.Column("current", sa.LargeBinary(), nullable=False, comment="a hash"),
        sa.Column("previous", sa.LargeBinary(), nullable=False, comment="a hash"),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        schema=_SCHEMA,
    )
    op.create_table(
        "buckets",
        sa.Column("key", sa.LargeBinary(), primary_key=True),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        schema=_SCHEMA,
    )
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text(), primary_key=True),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("signs_from", sa.BigInteger(), nullable=False),
        schema=_SCHEMA,
    )
