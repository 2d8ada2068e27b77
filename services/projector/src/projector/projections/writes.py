"""The writes that a projection may return: a set for Redis and a set for MongoDB.

Redis writes travel to the server-side functions as MessagePack arrays that begin with their tag;
`stores/redis/lua/writes.lua` checks and does each. Doing one twice is harmless.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class SetField(msgspec.Struct, frozen=True, array_like=True, tag="field"):
    """Set a field of the author's hash."""

    author_id: str
    field: str
    value: str


class AddMember(msgspec.Struct, frozen=True, array_like=True, tag="member"):
    """Add an author to a set of `owner_id`'s, and count it in the owner's hash if it was not there."""

    set_name: str
    owner_id: str
    member: str
    counter: str


class RemoveMember(msgspec.Struct, frozen=True, array_like=True, tag="no-member"):
    """Remove an author from a set of `owner_id`'s, and count it down in the owner's hash if it was there."""

    set_name: str
    owner_id: str
    member: str
    counter: str


class AddToSet(msgspec.Struct, frozen=True, array_like=True, tag="in-set"):
    """Add an author to a set of `owner_id`'s that nobody counts."""

    set_name: str
    owner_id: str
    member: str


class RemoveFromSet(msgspec.Struct, frozen=True, array_like=True, tag="no-in-set"):
    """Remove an author from a set of `owner_id`'s that nobody counts."""

    set_name: str
    owner_id: str
    member: str


class PutText(msgspec.Struct, frozen=True, array_like=True, tag="text"):
    """Set a string. `expires_at` is in seconds since the epoch, 0 for never."""

    key_name: str
    identifier: str
    text: str
    expires_at: int = 0


class RemoveText(msgspec.Struct, frozen=True, array_like=True, tag="no-text"):
    """Delete a string."""

    key_name: str
    identifier: str


class AddOwnCheep(msgspec.Struct, frozen=True, array_like=True, tag="own"):
    """Add an entry (in hex) to the author's own list, and count it in the author's hash if it was not there."""

    author_id: str
    entry: str
    counter: str


class RemoveOwnCheep(msgspec.Struct, frozen=True, array_like=True, tag="no-own"):
    """Remove an entry (in hex) from the author's own list, and count it down in the author's hash if it was there."""

    author_id: str
    entry: str
    counter: str


class FanOut(msgspec.Struct, frozen=True, array_like=True, tag="fan-out"):
    """Add an entry (in hex) to the timeline of each follower of the author, or remove it; at once or by a task."""

    author_id: str
    entry: str
    correlation_id: str
    kind: Literal["insert", "remove"]


class PullIn(msgspec.Struct, frozen=True, array_like=True, tag="pull-in"):
    """Merge the newest of the author's own list into the timeline of a reader who follows the author and does not mute
    it.
    """

    reader_id: str
    author_id: str


class TakeOut(msgspec.Struct, frozen=True, array_like=True, tag="take-out"):
    """Take all of the author's cheeps out of the reader's timeline."""

    reader_id: str
    author_id: str


class ReportRecord(msgspec.Struct, frozen=True, array_like=True, tag="report-record"):
    """Report the record of a cheep (by its entry in hex) to the streams that show it: it has changed, or is gone."""

    entry: str


class ReportNotifications(msgspec.Struct, frozen=True, array_like=True, tag="report-notifications"):
    """Report to the streams of an author that its notifications have changed."""

    author_id: str


RedisWrite = (
    SetField
    | AddMember
    | RemoveMember
    | AddToSet
    | RemoveFromSet
    | PutText
    | RemoveText
    | AddOwnCheep
    | RemoveOwnCheep
    | FanOut
    | PullIn
    | TakeOut
    | ReportRecord
    | ReportNotifications
)


class SetFields(msgspec.Struct, frozen=True):
    """Set fields of a document, which is created if it does not exist."""

    collection: str
    identifier: str
    fields: dict[str, Any]


class Increment(msgspec.Struct, frozen=True):
    """Add to counts of a document, which is created if it does not exist."""

    collection: str
    identifier: str
    counts: dict[str, int]


class UnsetFields(msgspec.Struct, frozen=True):
    """Remove fields of a document, which is created if it does not exist."""

    collection: str
    identifier: str
    fields: tuple[str, ...]


class Delete(msgspec.Struct, frozen=True):
    """Delete a document, if it exists."""

    collection: str
    identifier: str


MongoWrite = SetFields | UnsetFields | Increment | Delete
