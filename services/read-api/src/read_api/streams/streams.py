"""All open streams of a process: which there may be, and which of them a message concerns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from cheeper_runtime.concurrency.limit import ConcurrencyLimit, OverloadedError
from read_api.ops.metrics import Metrics
from read_api.query_bus.paging import ListQuery
from read_api.streams.stream import Message, Stream
from read_api.streams.window import Position

PER_AUTHOR = "streams_per_author"
"""The name of the limit of one author's streams in an OverloadedError."""

Serve = Callable[[Stream], Awaitable[None]]

Make = Callable[[Any, Position | None], Stream]
"""Makes the stream of a query from a position."""


class Changes(Protocol):
    """The subscription to the projector's messages."""

    async def add(self, reader_id: str) -> None:
        """Return once messages about the reader are received. Raise StoreUnavailableError."""

    def remove(self, reader_id: str) -> None:
        """End what an `add` has begun, also if that failed or was cancelled."""


class Streams:
    """Opens streams, at most as many as `limit` allows, and `per_author` of each kind of one author. `makes` has what
    makes the stream of each kind of query.

    `subscribe` makes the subscription, for `receive`.
    """

    def __init__(
        self,
        makes: Mapping[type[ListQuery], Make],
        subscribe: Callable[[Callable[[str | None, Message], None]], Changes],
        limit: ConcurrencyLimit,
        per_author: int,
        metrics: Metrics,
    ) -> None:
        self._makes = makes
        self._changes = subscribe(self.receive)
        self._limit = limit
        self._per_author = per_author
        self._metrics = metrics
        self._open: dict[str, list[Stream]] = {}
        self._closed = False

    def receive(self, reader_id: str | None, message: Message) -> None:
        """Pass a message on to the streams of one reader, or to all."""
        if reader_id is not None:
            found = self._open.get(reader_id, [])
        else:
            found = [stream for streams in self._open.values() for stream in streams]
        for stream in found:
            stream.receive(message)

    async def run(self, query: ListQuery, position: Position | None, serve: Serve) -> None:
        """Open a stream, whose list has been read, and let `serve` send its events until either ends.

        Raise OverloadedError, or StoreUnavailableError before `serve` is called.
        """
        await self._limit.run(self._run, query, position, serve)

    def close(self) -> None:
        """End all streams, and each one that is still opened at once, since the process is about to end."""
        self._closed = True
        for streams in self._open.values():
            for stream in streams:
                stream.end("drained")

    async def _run(self, query: ListQuery, position: Position | None, serve: Serve) -> None:
        reader_id = getattr(query, query.owner)
        stream = self._makes[type(query)](query, position)
        if sum(type(each) is type(stream) for each in self._open.get(reader_id, ())) >= self._per_author:
            self._metrics.streams_refused += 1
            raise OverloadedError(PER_AUTHOR)
        if self._closed:
            stream.end("drained")
            await self._serve(stream, serve)
            return
        mine = self._open.setdefault(reader_id, [])
        mine.append(stream)
        try:
            await self._changes.add(reader_id)
            await stream.read()
            await self._serve(stream, serve)
        finally:
            self._changes.remove(reader_id)
            mine.remove(stream)
            if not mine:
                del self._open[reader_id]

    async def _serve(self, stream: Stream, serve: Serve) -> None:
        try:
            await serve(stream)
        finally:
            self._metrics.streams_ended[stream.ended or "disconnected"] += 1
