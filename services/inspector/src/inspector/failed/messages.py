"""The list of failed messages, and what of their content is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from inspector.attempts import Attempts

MOST: Final = 100
"""The most messages of one server that are shown."""
MASK: Final = "•••"
_NEVER: Final = frozenset({"email"})
"""The fields that are not shown even on request."""
_LONGEST: Final = 2_000


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A failed message as a server keeps it, with the `id` of the command lines. `behind` is true if it only
    waits for one of its key before it.
    """

    id: str
    topic: str | None
    partition: int
    offset: int
    sequence: int | None = None
    key: str | None
    message_id: str | None
    type: str | None
    behind: bool
    reason: str
    value: bytes


class FailedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A failed message as it is shown, with its `content` as far as that may be."""

    server: str
    id: str
    topic: str | None
    partition: int
    offset: int
    sequence: int | None
    key: str | None
    message_id: str | None
    type: str | None
    behind: bool
    reason: str
    content: Any


class FailedMessages(msgspec.Struct, frozen=True):
    """The response. `totals` has the number of all failed messages by server, `unavailable` a sentence for each server
    that did not respond.
    """

    messages: tuple[FailedMessage, ...]
    totals: dict[str, int]
    unavailable: dict[str, str]


class FailedReader(Protocol):
    """A server that keeps failed messages. Its methods raise StoreUnavailableError."""

    def failed(self, most: int) -> tuple[StoredMessage, ...]:
        """Return so many failed messages at most, those of a key in their order."""
        ...

    def number_failed(self) -> int:
        """Return the number of all of them."""
        ...


def failed_messages(servers: dict[str, FailedReader], *, reveal: bool) -> FailedMessages:
    """Return the failed messages of all servers."""
    attempts, found, totals = Attempts(), list[FailedMessage](), dict[str, int]()
    for name, server in servers.items():
        number = attempts.read(name, server.number_failed, None)
        if number is not None:
            totals[name] = number
        stored = attempts.read(name, _at_most(server), ())
        found += [_shown(name, each, reveal=reveal) for each in stored]
    return FailedMessages(tuple(found), totals, attempts.unavailable)


def content_of(value: bytes, *, reveal: bool) -> Any:
    """Return what is shown of a message's value: of JSON each field, of anything else the beginning.

    Without `reveal` every text that is no id is masked; with it, all but e-mail addresses is shown.
    """
    try:
        content = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return value[:_LONGEST].decode(errors="replace") if reveal and b"@" not in value else f"{len(value)} bytes"
    return _masked(content, reveal=reveal)


def _masked(content: Any, *, reveal: bool) -> Any:
    if isinstance(content, dict):
        return {
            name: MASK if name in _NEVER and value is not None else _masked(value, reveal=reveal)
            for name, value in content.items()
        }
    if isinstance(content, list):
        return [_masked(value, reveal=reveal) for value in content]
    return MASK if isinstance(content, str) and not reveal and not _is_id(content) else content


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _shown(server: str, stored: StoredMessage, *, reveal: bool) -> FailedMessage:
    fields = msgspec.structs.asdict(stored)
    value = fields.pop("value")
    return FailedMessage(server=server, content=content_of(value, reveal=reveal), **fields)


def _at_most(server: FailedReader) -> Callable[[], tuple[StoredMessage, ...]]:
    return lambda: server.failed(MOST)
