"""A dead letter is known again by its content, wherever in its partition it stands: a log that was wiped and filled
again has the same messages at other offsets.

Revision ID: 0006
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Keep the first of the letters that are one message, and hold new ones to that."""
    op.execute(
        """
        DELETE FROM dead_letters AS later USING dead_letters AS first
        WHERE first.source_topic = later.source_topic AND first."partition" = later."partition"
        AND first.content_digest = later.content_digest AND first.id < later.id
        """
    )
    op.execute(
        "ALTER TABLE dead_letters"
        " DROP CONSTRAINT dead_letters_source_topic_partition_offset_content_digest_key,"
        ' ADD CONSTRAINT one_letter_a_message UNIQUE (source_topic, "partition", content_digest)'
    )
