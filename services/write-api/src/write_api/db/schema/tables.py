"""The write model, normalised. Times are microseconds since 1970, UTC.

The outbox's tables are in migration 0002, the dead letters' one in 0003 and 0006.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

ONE_USERNAME: Final = "one_username"
ONE_EMAIL: Final = "one_email"
FOLLOWER_SIGNED_UP: Final = "follower_signed_up"
FOLLOWED_SIGNED_UP: Final = "followed_signed_up"
ONE_PAIR_A_FOLLOW_ID: Final = "one_pair_a_follow_id"
NOTIFIED_SIGNED_UP: Final = "notified_signed_up"
NOTIFIER_SIGNED_UP: Final = "notifier_signed_up"
ANSWER_POSTED: Final = "answer_posted"

metadata = MetaData()

authors = Table(
    "authors",
    metadata,
    Column("author_id", Uuid(as_uuid=False), primary_key=True),
    Column("username", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("email_unique_form", Text, nullable=False),
    Column("name", Text),
    Column("bio", Text),
    Column("location", Text),
    Column("website", Text),
    Column("birth_date", Date),
    Column("signed_up_at", BigInteger, nullable=False),
    Column(
        "sign_up_digest", LargeBinary, nullable=False, server_default=text("''::bytea"), comment="not used any more"
    ),
    Column("read_notified_at", BigInteger),  # the place in the list of the newest notification that was read
    Column("read_notification_id", Uuid(as_uuid=False)),
    UniqueConstraint("email_unique_form", name=ONE_EMAIL),
)
Index(ONE_USERNAME, func.lower(authors.c.username), unique=True)

follows = Table(
    "follows",
    metadata,
    Column("follow_id", Uuid(as_uuid=False), nullable=False),
    Column(
        "from_author_id", Uuid(as_uuid=False), ForeignKey("authors.author_id", name=FOLLOWER_SIGNED_UP), nullable=False
    ),
    Column(
        "to_author_id", Uuid(as_uuid=False), ForeignKey("authors.author_id", name=FOLLOWED_SIGNED_UP), nullable=False
    ),
    Column("followed_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("to_author_id", "from_author_id"),
    UniqueConstraint("follow_id", name=ONE_PAIR_A_FOLLOW_ID),
    Index("follows_of_author", "from_author_id"),
)

begun_follows = Table(
    "begun_follows",
    metadata,
    Column("from_author_id", Uuid(as_uuid=False), nullable=False),
    Column("followed_at", BigInteger, nullable=False),
    Index("begun_follows_of_author", "from_author_id", "followed_at"),
    comment="the follows that count for the quota of a day, also those that ended since; empty without that quota",
)

mutes = Table(
    "mutes",
    metadata,
    Column("author_id", Uuid(as_uuid=False), ForeignKey("authors.author_id"), nullable=False),
    Column("muted_id", Uuid(as_uuid=False), ForeignKey("authors.author_id"), nullable=False),
    Column("muted_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("author_id", "muted_id"),
    Index("mutes_of_author", "muted_id"),
)

blocks = Table(
    "blocks",
    metadata,
    Column("author_id", Uuid(as_uuid=False), ForeignKey("authors.author_id"), nullable=False),
    Column("blocked_id", Uuid(as_uuid=False), ForeignKey("authors.author_id"), nullable=False),
    Column("blocked_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("author_id", "blocked_id"),
)

cheeps = Table(
    "cheeps",
    metadata,
    Column("cheep_id", Uuid(as_uuid=False), nullable=False),
    Column("author_id", Uuid(as_uuid=False), ForeignKey("authors.author_id"), nullable=False),
    Column("message", Text, nullable=False),
    Column("cheep_date", BigInteger, nullable=False),
    Column("post_digest", LargeBinary, nullable=False, comment="of what was first sent"),
    Column("in_reply_to", Uuid(as_uuid=False), ForeignKey("cheeps.cheep_id")),
    Column("edited_at", BigInteger),
    Column("deleted_at", BigInteger),
    PrimaryKeyConstraint("cheep_id", name="one_cheep_an_id"),
    # Holds that dates rise strictly within an author, and finds the last one.
    UniqueConstraint("author_id", "cheep_date", name="one_cheep_a_moment"),
    Index("answers_to_cheep", "in_reply_to", postgresql_where=text("in_reply_to IS NOT NULL")),
)

notifications = Table(
    "notifications",
    metadata,
    Column("notification_id", Uuid(as_uuid=False), primary_key=True),
    Column("author_id", Uuid(as_uuid=False), ForeignKey("authors.author_id", name=NOTIFIED_SIGNED_UP), nullable=False),
    Column("kind", Text, nullable=False),
    Column("notified_at", BigInteger, nullable=False),
    Column("from_author_id", Uuid(as_uuid=False), ForeignKey("authors.author_id", name=NOTIFIER_SIGNED_UP)),
    Column("cheep_id", Uuid(as_uuid=False), ForeignKey("cheeps.cheep_id", name=ANSWER_POSTED)),
    CheckConstraint("kind IN ('welcome', 'new_follower', 'answer')", name="known_kind"),
    Index("notifications_of_author", "author_id", "notified_at"),
)

consumer_checkpoints = Table(
    "consumer_checkpoints",
    metadata,
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("topic_id", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("replaced_at", BigInteger, comment="when the topic was found to be another one"),
    PrimaryKeyConstraint("topic", "partition"),
)

handled_commands = Table(
    "handled_commands",
    metadata,
    Column("message_id", Uuid(as_uuid=False), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("key", Text, nullable=False),
    Column("accepted", Boolean, nullable=False, comment="its sender was told that it is accepted"),
    Column("outcome", JSON, comment="none while the command is only reserved"),
    Column("at", BigInteger, nullable=False),
)
Index("commands_without_outcome", handled_commands.c.at, postgresql_where=handled_commands.c.outcome.is_(None))
