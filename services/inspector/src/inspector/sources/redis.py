"""Redis: the hot views of the live generation, each read as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from cheeper_audit.stores.redis import Command, RedisViews, Unreadable
from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views import CommandRecord
from inspector.failed.messages import StoredMessage
from inspector.sources.parked import ParkedMessage
from inspector.trace.effects import KeyRef
from inspector.trace.evidence import Accepted, Parked, StoreState
from inspector.trace.model import View

FOLLOWERS_SHOWN: Final = 5
"""The most followers of an author whose timelines are shown."""
_MOST_PARKED: Final = 100
_LONGEST: Final = 16_384
"""The most bytes of a text that are shown."""


class RedisKeys:
    """Reads the keys. Every method raises StoreUnavailableError."""

    def __init__(self, redis: RedisViews, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix
        self._followed = False

    def state(self, partition: int) -> StoreState:
        """Return the live generation with its checkpoint."""
        [sequence] = self._execute(("HGET", self._key(views.CHECKPOINT, partition), "sequence"))
        state = self._redis.generation
        return StoreState(state, int(sequence or 0))

    def parked(self, key: str) -> tuple[Parked, ...]:
        """Return the parked messages of a key, at most 100."""
        [texts] = self._execute(("LRANGE", self._key(views.PARKED, key), 0, _MOST_PARKED - 1))
        return tuple(Parked(each.message_id, each.reason) for each in _messages(texts))

    def failed(self, most: int) -> tuple[StoredMessage, ...]:
        """Return parked messages, those of a key in their order."""
        keys = self._parked_keys(most)
        lists = self._execute(*(("LRANGE", self._key(views.PARKED, key), 0, most - 1) for key in keys))
        return tuple(islice((message.stored("redis") for texts in lists for message in _messages(texts)), most))

    def number_failed(self) -> int:
        """Return the number of parked messages."""
        self._follow()
        return self._redis.parked_messages()

    def record(self, message_id: str) -> CommandRecord | None:
        """Return the record of a command."""
        [text] = self._execute(("GET", self._key(views.COMMAND_RECORD, message_id)))
        return None if not isinstance(text, bytes) else msgspec.json.decode(text, type=CommandRecord)

    def accepted(self, message_id: str) -> Accepted | None:
        """Return what is known of an accepted command, which belongs to no generation."""
        [text] = self._execute(("GET", views.ACCEPTED_COMMAND.key(self._prefix, message_id)))
        if not isinstance(text, bytes):
            return None
        found = msgspec.json.decode(text, type=views.AcceptedCommand)
        return Accepted(found.key, found.type, found.at)

    def tasks(self, author_id: str) -> int:
        """Return the number of an author's fan-out tasks."""
        [number] = self._execute(("LLEN", self._key(views.TASKS, author_id)))
        return number if isinstance(number, int) else 0

    def followers(self, author_id: str) -> tuple[str, ...]:
        """Return some followers of an author."""
        [found] = self._execute(("ZRANGE", self._key(views.FOLLOWERS, author_id), 0, FOLLOWERS_SHOWN - 1))
        return () if isinstance(found, Unreadable) else tuple(member.decode() for member in found)

    def shown(self, refs: Sequence[KeyRef]) -> tuple[View, ...]:
        """Return what the keys hold now: of a list or set, whether it has the element, or else its length."""
        replies = self._execute(*(self._command(ref) for ref in refs))
        return tuple(
            View(self._key(ref.pattern, ref.identifier), ref.pattern.holds, _shown(ref, reply))
            for ref, reply in zip(refs, replies, strict=True)
        )

    def _command(self, ref: KeyRef) -> Command:
        key = self._key(ref.pattern, ref.identifier)
        if ref.pattern is views.TIMELINE:
            return ("LPOS", key, ref.element) if ref.element is not None else ("LLEN", key)
        if ref.element is not None:
            return ("ZSCORE", key, ref.element)
        return ("HGETALL", key) if ref.pattern is views.AUTHOR_COUNTERS else ("GET", key)

    def _parked_keys(self, most: int) -> list[str]:
        """Return some keys that are parked, by partition: a scan returns about so many of each set."""
        replies = self._execute(
            *(("SSCAN", self._key(views.PARKED_KEYS, each), 0, "COUNT", most) for each in range(PARTITIONS))
        )
        keys = [key.decode() for reply in replies if not isinstance(reply, Unreadable) for key in sorted(reply[1])]
        return keys[:most]

    def _follow(self) -> None:
        """Turn to the live generation, once for all that a request reads."""
        if not self._followed:
            self._redis.follow()
            self._followed = True

    def _execute(self, *commands: Command) -> list[Any]:
        self._follow()
        return self._redis.execute(commands) if commands else []

    def _key(self, pattern: views.KeyPattern, identifier: str | int) -> str:
        return self._redis.key(pattern, identifier)


def _messages(texts: Any) -> list[ParkedMessage]:
    """Return the parked messages in the elements of a list."""
    return [] if isinstance(texts, Unreadable) else [msgspec.json.decode(text, type=ParkedMessage) for text in texts]


def _shown(ref: KeyRef, reply: Any) -> Any:
    if isinstance(reply, Unreadable):
        return reply.reason
    if ref.element is not None:
        is_there = reply is not None
        return {"has_it": is_there, "position": reply} if ref.pattern is views.TIMELINE else {"has_it": is_there}
    if ref.pattern is views.TIMELINE:
        return {"entries": reply}
    if ref.pattern is views.AUTHOR_COUNTERS:
        return _hash(reply)
    return _text(reply)


def _hash(reply: Any) -> dict[str, str] | None:
    """Return the fields of a hash, which this protocol's version lists; None if it does not exist."""
    pairs = list(reply.items()) if isinstance(reply, dict) else list(zip(reply[::2], reply[1::2], strict=True))
    return {name.decode(): value.decode(errors="replace") for name, value in pairs} or None


def _text(reply: bytes | None) -> Any:
    """Return a string's JSON, or its text if it is none."""
    if reply is None:
        return None
    try:
        return msgspec.json.decode(reply)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return reply[:_LONGEST].decode(errors="replace")
