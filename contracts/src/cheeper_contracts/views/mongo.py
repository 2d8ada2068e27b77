"""The documents in MongoDB: one collection per view, ids as text, times as int64 microseconds since the epoch.

Events of other authors change an author's and a cheep's counts, and may come before the owner's own event: for readers
an author exists once `username` is set, and a cheep once `author_id` is, until `deleted_at` is.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection: what it `holds`, its lag objective as for KeyPattern, and its indexes beside the one on `_id`.

    The projector creates the indexes, each over its fields in ascending order.
    """

    name: str
    holds: str
    lag_ms: int | None = None
    indexes: tuple[tuple[str, ...], ...] = ()


AUTHORS: Final = Collection(
    name="authors",
    lag_ms=2_000,
    holds="AuthorDocument by author id",
    indexes=(("username_folded",), ("words", "signed_up_at", "_id")),
)
FOLLOWS: Final = Collection(
    name="follows",
    lag_ms=2_000,
    holds='FollowDocument by "<follower> <followed>"; there while the one follows the other',
    indexes=(
        ("to_author_id", "followed_at", "from_author_id"),
        ("from_author_id", "followed_at", "to_author_id"),
    ),
)
CHEEPS: Final = Collection(
    name="cheeps",
    lag_ms=2_000,
    holds="CheepDocument by cheep id, DeletedCheepDocument once it is deleted",
    indexes=(
        ("in_reply_to", "cheep_date", "_id"),
        ("author_id", "cheep_date", "_id"),
        ("words", "cheep_date", "_id"),
    ),
)
NOTIFICATIONS: Final = Collection(
    name="notifications",
    lag_ms=2_000,
    holds="NotificationDocument by notification id",
    indexes=(("author_id", "at", "_id"),),
)
MUTES: Final = Collection(
    name="mutes",
    lag_ms=2_000,
    holds='MuteDocument by "<who mutes> <muted>"; there while the one mutes the other',
    indexes=(("author_id", "muted_at", "muted_id"),),
)
BLOCKS: Final = Collection(
    name="blocks",
    lag_ms=2_000,
    holds='BlockDocument by "<who blocks> <blocked>"; there while the one blocks the other',
    indexes=(("author_id", "blocked_at", "blocked_id"),),
)
COMMANDS: Final = Collection(
    name="commands", lag_ms=2_000, holds="CommandRecord by message id, and expires_at (a date) for its TTL index"
)
CHECKPOINTS: Final = Collection(
    name="checkpoints",
    holds="{_id: partition, sequence, topic_id, offset} of the last message applied or parked; poison, how many in a "
    "row were poison themselves; and, until the next message, switched and unparked (counts) and forgotten, so that "
    "whoever applies meanwhile meets a write conflict",
)
PARKED_MESSAGES: Final = Collection(
    name="parked_messages",
    holds='a parked message by "<partition>:<sequence>", without a sequence by "<partition>:<topic id>@<offset>"',
)

COLLECTIONS: Final = (AUTHORS, FOLLOWS, CHEEPS, NOTIFICATIONS, MUTES, BLOCKS, COMMANDS, CHECKPOINTS, PARKED_MESSAGES)


class AuthorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An author's profile and counts. Before the sign-up only `author_id` and the counts may be set.

    `username_folded`, the username in lower case, finds the author by name; `words` of username and name
    (`cheeper_contracts.words`) find it in a search. `read_until` is the time of the newest notification that the
    author has read, `read_until_id` its id.
    """

    author_id: str = msgspec.field(name="_id")
    username: str | None = None
    username_folded: str | None = None
    name: str | None = None
    bio: str | None = None
    location: str | None = None
    website: str | None = None
    birth_date: str | None = None
    signed_up_at: int | None = None
    words: list[str] = []
    followers: int = 0
    following: int = 0
    cheeps: int = 0
    read_until: int | None = None
    read_until_id: str | None = None


class FollowDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The fact that one author follows another. Names change, so they are not in it but looked up."""

    follow_key: str = msgspec.field(name="_id")
    from_author_id: str
    to_author_id: str
    followed_at: int


class CheepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A cheep, an answer too. `words` are those of the message (`cheeper_contracts.words`). `number_of_answers` counts
    the answers that are not deleted; before the cheep itself only that count may be set.
    """

    cheep_id: str = msgspec.field(name="_id")
    author_id: str
    author_username: str
    message: str
    cheep_date: int
    in_reply_to: str | None = None
    edited_at: int | None = None
    words: list[str] = []
    number_of_answers: int = 0


class DeletedCheepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The rest of a deleted cheep: the proof that it existed, so that its answers can still be queried, and their
    number, to which the events of other authors add before and after the deletion.
    """

    cheep_id: str = msgspec.field(name="_id")
    deleted_at: int
    number_of_answers: int = 0


class NotificationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A notification of an author: `from_author_id` caused it, and `cheep_id` is the answer that it is about."""

    notification_id: str = msgspec.field(name="_id")
    author_id: str
    kind: Literal["welcome", "new_follower", "answer"]
    at: int
    from_author_id: str | None = None
    cheep_id: str | None = None


class MuteDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The fact that one author mutes another."""

    mute_key: str = msgspec.field(name="_id")
    author_id: str
    muted_id: str
    muted_at: int


class BlockDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The fact that one author blocks another."""

    block_key: str = msgspec.field(name="_id")
    author_id: str
    blocked_id: str
    blocked_at: int
