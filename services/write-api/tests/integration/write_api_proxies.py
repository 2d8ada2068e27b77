"""Ways to a server that hold back or lose what passes at a chosen moment, for what no test could otherwise time.

They stand between a real process and a real server and know a little of its protocol; the product knows nothing of
them.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

PRODUCE = 0
"""The API key of Kafka's Produce request."""


class Way:
    """Takes connections on a port of its own and passes on what comes, both ways, each way through a method."""

    def __init__(self, host, port):
        self._to = host, port
        self._tasks = set()

    @asynccontextmanager
    async def open(self):
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            there_reader, there_writer = await asyncio.open_connection(*self._to)
            connection = {}
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self.requests(connection, reader, there_writer))
                    both.create_task(self.responses(connection, there_reader, writer))
            except* (OSError, asyncio.IncompleteReadError):
                pass  # the process was killed
            finally:
                there_writer.close()
        finally:
            writer.close()
            self._tasks.discard(task)


class WayToPostgres(Way):
    """`hold_commits` keeps the next COMMIT from the server until `release`; `lose_responses` lets it through and loses
    the response. `committing` is set once a COMMIT is held, or is done and its response lost.
    """

    def __init__(self, url):
        parts = urlsplit(url)
        super().__init__(parts.hostname, parts.port)
        self._url = parts
        self.hold_commits = self.lose_responses = False
        self.committing, self.release = asyncio.Event(), asyncio.Event()

    @property
    def url(self):
        user = f"{self._url.netloc.rpartition('@')[0]}@" if "@" in self._url.netloc else ""
        return self._url._replace(netloc=f"{user}127.0.0.1:{self.port}").geturl()

    async def requests(self, connection, reader, writer):
        while data := await reader.read(65536):
            if b"COMMIT\0" in data:
                if self.hold_commits:
                    self.committing.set()
                    await self.release.wait()
                connection["lost"] = self.lose_responses
            writer.write(data)
            await writer.drain()
        writer.close()

    async def responses(self, connection, reader, writer):
        while data := await reader.read(65536):
            if connection.get("lost"):
                if b"COMMIT\0" in data:
                    self.committing.set()
                continue
            writer.write(data)
            await writer.drain()
        writer.close()


class WayToKafka(Way):
    """`lose_responses` lets messages through to the broker and loses its responses; `written` is set once one is lost.
    It responds so many seconds `late`, and acknowledges messages later by so many seconds of `late_confirmations`.

    A broker gives its clients its own port, so the port is changed in all its responses.
    """

    def __init__(self, bootstrap):
        host, _, port = bootstrap.rpartition(":")
        super().__init__(host, int(port))
        self._port = int(port)
        self.lose_responses = False
        self.late = self.late_confirmations = 0.0
        self.written = asyncio.Event()

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    async def requests(self, connection, reader, writer):
        with suppress(asyncio.IncompleteReadError):
            while frame := await _frame(reader):
                if int.from_bytes(frame[:2]) == PRODUCE:
                    connection.setdefault("produced", set()).add(frame[4:8])
                writer.write(len(frame).to_bytes(4) + frame)
                await writer.drain()
        writer.close()

    async def responses(self, connection, reader, writer):
        theirs, ours = (port.to_bytes(4) for port in (self._port, self.port))
        with suppress(asyncio.IncompleteReadError):
            while frame := await _frame(reader):
                confirms = frame[:4] in connection.get("produced", ())
                if self.lose_responses and confirms:
                    self.written.set()
                    continue
                await asyncio.sleep(self.late + (self.late_confirmations if confirms else 0))
                changed = frame.replace(b"127.0.0.1" + theirs, b"127.0.0.1" + ours)
                writer.write(len(changed).to_bytes(4) + changed)
                await writer.drain()
        writer.close()


async def _frame(reader):
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4)))
