"""The hot views in Redis, under keys of the form `<prefix>{0}:<pattern>:<id>`; `{0}` is the shard tag."""

from __future__ import annotations

from typing import Final

import msgspec

from cheeper_contracts.views.entries import TIMELINE_ENTRIES


class KeyPattern(msgspec.Struct, frozen=True, kw_only=True):
    """A family of Redis keys: `<prefix>{0}:<name>:<id>`.

    `holds` describes the Redis type and the content; `lag_ms` is the objective for the time between an event's commit
    and its effect here, at rest, and is None for a family that is no view.
    """

    name: str
    holds: str
    lag_ms: int | None = None

    def key(self, prefix: str, identifier: str | int) -> str:
        """Return the key of one author, cheep, command or partition."""
        return f"{stem(prefix)}{self.name}:{identifier}"


def stem(prefix: str) -> str:
    """Return the beginning of all keys of an installation."""
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
MUTERS: Final = KeyPattern(
    name="muters", lag_ms=1_000, holds="sorted set, all scores 0: the ids of those who mute the author, as text"
)
MUTED: Final = KeyPattern(
    name="muted", lag_ms=1_000, holds="sorted set, all scores 0: the ids of whom the author mutes, as text"
)
CHEEP_RECORD: Final = KeyPattern(
    name="cheep", lag_ms=1_000, holds="string: the CheepRecord as JSON; absent for a deleted one"
)
AUTHOR_CHEEPS: Final = KeyPattern(
    name="cheeps", lag_ms=1_000, holds="sorted set, all scores 0: entries of all the author's cheeps, never trimmed"
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
    MUTERS,
    MUTED,
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
