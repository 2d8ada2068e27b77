"""The base of a client's stream: events that wait to be sent, and the reads that bring the client up to date."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Final, Literal, NamedTuple

from read_api.query_bus.query import StoreUnavailableError
from read_api.streams.window import StreamEvent

KEEP_ALIVE_SECONDS: Final = 15.0
PENDING_MAX: Final = 1_000
"""Events, or messages, that may wait for one client. A stream with more is closed; its client resumes it."""

EndReason = Literal["disconnected", "too_slow", "drained", "expired", "store_unavailable"]


class Message(NamedTuple):
    """A message of the projector: its kind, the entry or id that it is about, and the cheep's record."""

    kind: bytes
    subject: bytes = b""
    record: bytes = b""


class Stream(ABC):
    """The events of a list for one client."""

    def __init__(self, keep_alive_seconds: float) -> None:
        self.ended: EndReason | None = None
        self._keep_alive_seconds = keep_alive_seconds
        self._pending: list[StreamEvent] = []
        self._changed = asyncio.Event()

    def receive(self, message: Message) -> None:
        """Take a message."""
        if self.ended is None and self._take(message) > PENDING_MAX:
            self.end("too_slow")

    def end(self, reason: EndReason) -> None:
        """End the stream. The client has a position to resume from: the id of the last event that it received."""
        if self.ended is None:
            self.ended = reason
        self._changed.set()

    async def events(self) -> AsyncIterator[list[StreamEvent]]:
        """Yield the events as they come, and an empty list for each KEEP_ALIVE_SECONDS without any, until the end."""
        while self.ended is None:
            if self.is_behind and not await self._read_again():
                return
            if not self._pending:
                try:
                    async with asyncio.timeout(self._keep_alive_seconds):
                        await self._changed.wait()
                except TimeoutError:
                    yield []
                self._changed.clear()
            elif self.ended is None:
                events, self._pending = self._pending, []
                yield events

    @property
    @abstractmethod
    def is_behind(self) -> bool:
        """Return True if the list has to be read before the next event."""

    @abstractmethod
    async def read(self) -> None:
        """Read the list. Raise StoreUnavailableError."""

    @abstractmethod
    def _take(self, message: Message) -> int:
        """Take a message, and return how many messages or events wait now because of it. Set `_changed` if the client
        is to be served.
        """

    async def _read_again(self) -> bool:
        """Read the list; end the stream and return False if that is not possible."""
        try:
            await self.read()
        except StoreUnavailableError:
            self.end("store_unavailable")
        return self.ended is None
