"""A sign-up is recognised by its message id alone, so the digest of its content is not used any more.

Revision ID: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Let rows be inserted without the digest. The column stays for processes of the version before, which read it."""
    op.execute("ALTER TABLE authors ALTER COLUMN sign_up_digest SET DEFAULT ''")
    op.execute("COMMENT ON COLUMN authors.sign_up_digest IS 'not used any more'")
