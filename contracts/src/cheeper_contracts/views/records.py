"""The records of cheeps and commands, and the form of a time in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec


class CheepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A cheep as a page of a timeline shows it.

    Redis has the very JSON of the response, so that a page is put together without decoding it. `cheep_date` and
    `edited_at` are text as `whole_seconds` makes it.
    """

    cheep_id: str
    cheep_date: str
    cheep_message: str
    author_id: str
    author_username: str
    in_reply_to: str | None = None
    edited_at: str | None = None


def whole_seconds(microseconds: int) -> str:
    """Return a time as responses show it: RFC 3339 text, UTC, such as `2022-03-14T21:08:50+00:00`.

    Microseconds are cut off, not rounded.
    """
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).isoformat()


def whole_microseconds(microseconds: int) -> str:
    """Return the whole time as responses show it, always with six digits: `2022-03-14T21:08:50.123456+00:00`."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest).isoformat(timespec="microseconds")


class CommandRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a command: JSON in Redis, a document of `commands` in MongoDB.

    A store writes it in the same call or transaction as the effects of the message that settled the command. So a
    reader of the record sees the effects too, except for fan-out tasks of `key` that are not newer than `sequence`.
    `at` is that message's time in microseconds.
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


class AcceptedCommand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command that was read from `cheeper.commands`, in Redis alone; `at` is when it was sent, in microseconds,
    and `actor` the caller who sent it, None if the API is open.

    It does not come from the log of events, so it belongs to no generation and its key has the installation's own
    prefix. A CommandRecord, which expires later, supersedes it.
    """

    message_id: str
    key: str
    type: str
    at: int
    actor: str | None = None
