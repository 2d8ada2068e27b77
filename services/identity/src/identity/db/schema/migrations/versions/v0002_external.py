"""Accounts without address and password, the subjects of external providers, and attempts to sign in by them.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_SCHEMA = "identity"


def upgrade() -> None:
    """Make the tables, and let accounts be without what only those of an address have."""
    for column in ("address", "password"):
        op.alter_column("accounts", column, nullable=True, schema=_SCHEMA)
    op.create_table(
        "subjects",
        sa.Column("issuer", sa.Text(), primary_key=True),
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column(
            "account_id",
            sa.Uuid(as_uuid=False),
            sa.ForeignKey(f"{_SCHEMA}.accounts.account_id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        comment="who has an account by an external provider",
        schema=_SCHEMA,
    )
    op.create_table(
        "attempts",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        comment="sign-ins by a provider that have begun",
        schema=_SCHEMA,
    )
