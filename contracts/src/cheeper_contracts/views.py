"""The views: what the projector writes and read-api reads, each declared once, with its lag objective.

**Redis** holds the hot views, under keys of the form `<prefix>{0}:<pattern>`; `{0}` is the shard tag. A cheep's place
in a list is an *entry* of 24 bytes: its date in microseconds as a big-endian int64, then the 16 bytes of its id, so
that the order of the bytes is the order of (cheep_date, cheep_id).

**MongoDB** holds the documents: one collection per view, ids as text, times as int64 microseconds since the epoch.

A view's foreign side (the counts that other authors' events move) may be there before its owner's event: an author
exists for readers once `username` is set, a cheep once `author_id` is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from struct import Struct
from typing import Final, Literal
from uuid import UUID

import msgspec

# --- entries ---------------------------------------------------------------------------------------------------------

_ENTRY = Struct(">q16s")
ENTRY_BYTES: Final = _ENTRY.size
TIMELINE_ENTRIES: Final = 800
"""What a timeline's list holds at most; below its floor a page is merged from the followed authors' own lists."""


def pack_entry(cheep_date: int, cheep_id: str) -> bytes:
    """The 24 bytes of a cheep's place: date in microseconds, then id."""
    return _ENTRY.pack(cheep_date, UUID(cheep_id).bytes)


def unpack_entry(entry: bytes) -> tuple[int, str]:
    """The (cheep_date, cheep_id) of an entry. Raises struct.error where it is not 24 bytes long."""
    cheep_date, raw_id = _ENTRY.unpack(entry)
    return cheep_date, str(UUID(bytes=raw_id))


# --- Redis -----------------------------------------------------------------------------------------------------------


class KeyPattern(msgspec.Struct, frozen=True, kw_only=True):
    """A family of Redis keys: `<prefix>{0}:<name>:<id>`.

    `holds` says the Redis type and what is in it; `lag_ms` is the objective for the time between an event's commit and
    its effect here, at rest, none for what is no view.
    """

    name: str
    holds: str
    lag_ms: int | None = None

    def key(self, prefix: str, identifier: str | int) -> str:
        """The key of one author, cheep, command or partition."""
        return f"{stem(prefix)}{self.name}:{identifier}"


def stem(prefix: str) -> str:
    """What all keys of an installation begin with; a server-side function puts it before a pattern's name."""
    return prefix + "{0}:"


AUTHOR_COUNTERS: Final = KeyPattern(
    name="author", lag_ms=1_000, holds="hash: username (once signed up), followers, following, cheeps"
)
FOLLOWERS: Final = KeyPattern(
    name="followers", lag_ms=1_000, holds="sorted set, all scores 0: the ids of the author's followers, as text"
)
FOLLOWING: Final = KeyPattern(
    name="following", lag_ms=1_000, holds="sorted set, all scores 0: the ids of whom the author follows, as text"
)
CHEEP_RECORD: Final = KeyPattern(
    name="cheep", lag_ms=1_000, holds="string: the CheepRecord as JSON; absent for a deleted one"
)
AUTHOR_CHEEPS: Final = KeyPattern(
    name="cheeps", lag_ms=1_000, holds="list, newest first: entries of all the author's cheeps, never trimmed"
)
TIMELINE: Final = KeyPattern(
    name="timeline",
    lag_ms=1_000,
    holds=f"list, newest first: at most {TIMELINE_ENTRIES} entries, complete above the floor",
)
TIMELINE_FLOOR: Final = KeyPattern(
    name="floor", holds="string: the newest entry that the timeline's list may lack; absent while nothing was left out"
)
COMMAND_RECORD: Final = KeyPattern(
    name="command", lag_ms=1_000, holds="string that expires: the CommandRecord as JSON, by message id"
)
ACCEPTED_COMMAND: Final = KeyPattern(
    name="accepted", holds="string that expires: the AcceptedCommand as JSON, by message id; of no generation"
)
CHECKPOINT: Final = KeyPattern(
    name="checkpoint",
    holds="hash, by partition: sequence, topic_id, offset of the last message applied or parked; poison, how many in a "
    "row were poison themselves",
)
TASKS: Final = KeyPattern(
    name="tasks",
    holds="list, by author: the author's fan-out tasks as JSON {sequence, kind, entry in hex, after, correlation_id}, "
    "oldest first",
)
TASK_AUTHORS: Final = KeyPattern(
    name="task-authors",
    holds="list, by partition: authors who have fan-out tasks, the next one to serve first; "
    "an empty text stands for the short timelines",
)
SHORT_TIMELINES: Final = KeyPattern(
    name="short",
    holds="sorted set, by partition: readers whose short timelines wait to be refilled, the next one first",
)
REFILL: Final = KeyPattern(
    name="refill",
    holds="hash, by reader: floor, reached, wanted, entries: the newest entries not above the floor by the followed "
    "authors up to the one reached, as far as tasks have gathered them for a short timeline",
)
PARKED: Final = KeyPattern(
    name="parked", holds="list, by message key: parked messages of that key as JSON, oldest first"
)
PARKED_KEYS: Final = KeyPattern(name="parked-keys", holds="set, by partition: the message keys that are parked")

KEY_PATTERNS: Final = (
    AUTHOR_COUNTERS,
    FOLLOWERS,
    FOLLOWING,
    CHEEP_RECORD,
    AUTHOR_CHEEPS,
    TIMELINE,
    TIMELINE_FLOOR,
    COMMAND_RECORD,
    ACCEPTED_COMMAND,
    CHECKPOINT,
    TASKS,
    TASK_AUTHORS,
    SHORT_TIMELINES,
    REFILL,
    PARKED,
    PARKED_KEYS,
)


class CheepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A cheep as a page of a timeline shows it: in Redis the very JSON of the answer, so that a page is put together
    without decoding it. `cheep_date` and `edited_at` are text as `whole_seconds` makes it.
    """

    cheep_id: str
    cheep_date: str
    cheep_message: str
    author_id: str
    author_username: str
    in_reply_to: str | None = None
    edited_at: str | None = None


def whole_seconds(microseconds: int) -> str:
    """A time since the epoch as answers show it: RFC 3339 text, UTC, such as `2022-03-14T21:08:50+00:00`. What is
    beyond the second is cut off, not rounded.
    """
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).isoformat()


class CommandRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command: in Redis as JSON, in MongoDB as a document of `commands`.

    A store writes it in the same call or transaction as the effects of the message that settled the command, so
    whoever sees the record sees the effects, but for fan-out tasks of `key` that are not newer than `sequence`.
    `at` is that message's time, microseconds.
    """

    message_id: str
    key: str
    partition: int
    sequence: int
    type: str
    status: Literal["handled", "rejected"]
    at: int
    changed: bool
    code: str | None = None
    message: str | None = None


class AcceptedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command that was seen on `cheeper.commands`, in Redis alone; `at` is when it was sent, microseconds.

    It is not made of the log of events, so it belongs to no generation and stands under the installation's own prefix.
    It says nothing once there is a CommandRecord, which expires later.
    """

    message_id: str
    key: str
    type: str
    at: int


COMMAND_RECORD_SECONDS: Final = 7 * 24 * 3600

# --- MongoDB ---------------------------------------------------------------------------------------------------------


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection's name, what its documents are, its lag objective (as for KeyPattern), and the indexes that queries
    need beside the one on `_id`, each by its fields in ascending order; the projector makes them.
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
    holds="CheepDocument by cheep id; of a deleted one only deleted_at is left",
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

COLLECTIONS: Final = (AUTHORS, FOLLOWS, CHEEPS, NOTIFICATIONS, COMMANDS, CHECKPOINTS, PARKED_MESSAGES)


class AuthorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An author's profile and counts. Only `author_id` and the counts may be there before the sign-up is.

    `username_folded` is the username in lower case, by which it is found; `words` are those of username and name
    (`cheeper_contracts.words`), by which search finds it.
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


class FollowDocument(msgspec.Struct, frozen=True, kw_only=True):
    """That one author follows another. Names are not in it, since they change: they are looked up."""

    follow_key: str = msgspec.field(name="_id")
    from_author_id: str
    to_author_id: str
    followed_at: int


class CheepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A cheep, an answer too. `words` are those of the message (`cheeper_contracts.words`)."""

    cheep_id: str = msgspec.field(name="_id")
    author_id: str
    author_username: str
    message: str
    cheep_date: int
    in_reply_to: str | None = None
    edited_at: int | None = None
    words: list[str] = []


class DeletedCheepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a cheep that was deleted: that it was there, so that its answers can still be asked for."""

    cheep_id: str = msgspec.field(name="_id")
    deleted_at: int


class NotificationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What an author was told. `from_author_id` is whose doing it is, `cheep_id` the answer, where it is about them."""

    notification_id: str = msgspec.field(name="_id")
    author_id: str
    kind: Literal["welcome", "new_follower", "answer"]
    at: int
    from_author_id: str | None = None
    cheep_id: str | None = None
