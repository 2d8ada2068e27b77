"""A stream of a timeline or of notifications as a client reads it, and a client that keeps a list by its events."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Literal, NamedTuple

import httpx
import msgspec

from cheeper_e2e.http.client import LARGEST_PAGE, Client

PATIENCE_SECONDS: Final = 60.0

ListName = Literal["timeline", "notifications"]
_ENTRIES: Final[dict[ListName, str]] = {"timeline": "cheeps", "notifications": "notifications"}
_ID: Final[dict[ListName, str]] = {"timeline": "cheep_id", "notifications": "notification_id"}


class StreamEvent(NamedTuple):
    """An event: its name, its decoded data and its id."""

    name: str
    data: dict[str, Any]
    id: str


class OpenStream:
    """The response of a stream, and its events as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self.status, self.headers = response.status_code, response.headers
        self._lines = response.aiter_lines()

    async def event(self) -> StreamEvent | None:
        """Return the next event, or None at the end of the stream. Raise TimeoutError."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in self._lines:
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    return StreamEvent(fields["event"], msgspec.json.decode(fields["data"]), fields["id"])
        return None


@asynccontextmanager
async def open_stream(
    client: Client, author_id: str, last_id: str | None = None, *, of: ListName = "timeline"
) -> AsyncIterator[OpenStream]:
    """Open a stream of a list at a client's gateway, behind the event with this id, as its author."""
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    if client.callers is not None:
        headers |= client.callers.authorization(author_id)
    async with (
        httpx.AsyncClient(base_url=client.url, timeout=PATIENCE_SECONDS) as http,
        http.stream("GET", f"/author/{author_id}/{of}/stream", headers=headers) as response,
    ):
        yield OpenStream(response)


class ListFollower:
    """A client that shows the newest entries of a list: `shown`, newest first, as its stream's events say."""

    def __init__(self, client: Client, author_id: str, of: ListName = "timeline") -> None:
        self.shown: list[dict[str, Any]] = []
        self.author_id = author_id
        self._client, self._of = client, of
        self._id = _ID[of]
        self._last_id: str | None = None

    async def follow(self, draw: random.Random) -> None:
        """Follow the list until cancelled, over streams that are left after a drawn number of events."""
        while True:
            with suppress(httpx.TransportError, TimeoutError):
                async with open_stream(self._client, self.author_id, self._last_id, of=self._of) as stream:
                    for _ in range(draw.randint(1, 12)):
                        event = await stream.event()
                        if event is None:
                            break
                        await self._apply(event)

    async def _apply(self, event: StreamEvent) -> None:
        match event.name:
            case "refresh":
                reply = await self._client.query(f"/author/{self.author_id}/{self._of}", size=LARGEST_PAGE)
                self.shown = reply.data.get(_ENTRIES[self._of], [])
            case "cheep" | "notification":
                self._put(event.data)
            case "edited":
                changed = event.data
                self.shown = [changed if one["cheep_id"] == changed["cheep_id"] else one for one in self.shown]
            case "deleted":
                self.shown = [one for one in self.shown if one["cheep_id"] != event.data["cheep_id"]]
            case "unfollowed":
                self.shown = [one for one in self.shown if one["author_id"] != event.data["author_id"]]
        self._last_id = event.id

    def _put(self, entry: dict[str, Any]) -> None:
        below = entry.pop("below", None)
        others = [one for one in self.shown if one[self._id] != entry[self._id]]
        ids = [one[self._id] for one in others]
        if below is None or below in ids:
            others.insert(0 if below is None else ids.index(below) + 1, entry)
            self.shown = others
