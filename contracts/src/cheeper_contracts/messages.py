"""The base classes of all messages."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """`TYPE` is the message's name and version on the wire, `KEY` the field that holds its key."""

    TYPE: ClassVar[str]
    KEY: ClassVar[str]

    @property
    def key(self) -> str:
        """The author whose messages this one is ordered with: its Kafka key."""
        key: str = getattr(self, self.KEY)
        return key


class Command(Message, frozen=True, kw_only=True):
    """A command: a request for a change. `ACTOR` declares who may send it: the name of the field that must be the
    caller's own author id, or a constant of `actors`. Without a declaration there is no such command.
    """

    ACTOR: ClassVar[str]


class Event(Message, frozen=True, kw_only=True):
    """An event, or the outcome of a command."""
