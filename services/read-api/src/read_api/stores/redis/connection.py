"""One connection to Redis for all look-ups: commands of one turn of the event loop are sent together.

redis-py takes a connection from its pool for each command. Its bookkeeping and two system calls were 40% of the time
for a page of a timeline, and it gives no public access to its streams (ADR 17, ADR 27). So this module has a protocol
of its own: redis-py parses the URL and makes the TLS context, hiredis packs commands and parses replies. Redis serves
one command after another anyway, so sharing the connection delays no command.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, cast

import hiredis
from redis.asyncio import ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisError, ResponseError

TIMEOUT_SECONDS: Final = 2.0
"""A command that has no reply after this time fails, and a connection that is silent for so long is closed."""
MAX_IN_FLIGHT: Final = 4_096
"""Commands in flight: tenths of a second of a healthy Redis. A slow one would reply too late to more of them."""
_SWEEP_SECONDS: Final = 0.1
_INCOMPLETE: Final = object()

Command = tuple[str | bytes | float, ...]


class Connection:
    """Sends commands over one connection, which is opened with the first command and again after it was lost.

    `pool` has the settings of the connection. `preface` is sent over each new connection, and its replies are ignored.
    """

    def __init__(self, pool: ConnectionPool, preface: Sequence[Command] = ()) -> None:
        self._pool = pool
        self._preface = preface
        self._session: _Session | None = None
        self._opening: asyncio.Task[None] | None = None

    async def execute(self, *command: str | bytes | float) -> Any:
        """Return the reply to a command that writes nothing: it is sent again, once, if the connection was lost.

        Raise ResponseError with the server's words, TimeoutError if there is no reply for TIMEOUT_SECONDS, RedisError
        if MAX_IN_FLIGHT commands are in flight, or another RedisError or OSError.
        """
        try:
            return await self._send(command)
        except RedisConnectionError:
            return await self._send(command)

    def close(self) -> None:
        """Close the connection. Commands in flight fail."""
        if self._session is not None:
            self._session.lose(RedisConnectionError("The connection was closed"))

    def _send(self, command: Command) -> asyncio.Future[Any]:
        session = self._session
        if session is None or session.lost:
            session = self._session = _Session()
            self._opening = asyncio.create_task(self._open(session), name="redis")
        return session.send(_packed(command))

    async def _open(self, session: _Session) -> None:
        """Connect, log in and send the preface and the commands that are waiting."""
        settings = self._pool.make_connection()  # type: ignore[no-untyped-call]
        loop = asyncio.get_running_loop()
        handshake: list[Command] = []
        if settings.password:
            handshake.append(("AUTH", *filter(None, (settings.username, settings.password))))
        if settings.client_name:
            handshake.append(("CLIENT", "SETNAME", settings.client_name))
        if settings.db:
            handshake.append(("SELECT", settings.db))
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if isinstance(settings, UnixDomainSocketConnection):
                    await loop.create_unix_connection(lambda: session, settings.path)
                else:
                    tls = settings.ssl_context.get() if isinstance(settings, SSLConnection) else None
                    await loop.create_connection(lambda: session, settings.host, settings.port, ssl=tls)
        except ConnectionError as error:
            session.lose(RedisConnectionError(f"{type(error).__name__}: {error}"))
        except (RedisError, OSError) as error:
            session.lose(error)
        else:
            session.begin([_packed(each) for each in handshake], [_packed(each) for each in self._preface])


class _Session(asyncio.Protocol):
    """One connection: the commands in flight, in the order of their replies, and those that wait until it is open."""

    def __init__(self) -> None:
        self.lost = False
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] | None = []
        self._in_flight: deque[tuple[float, asyncio.Future[Any]]] = deque()  # with the loop time of sending
        self._handshake = self._ignored = 0  # replies that are still expected before those of commands
        self._last_data = 0.0
        self._loop = asyncio.get_running_loop()
        self._sweep: asyncio.TimerHandle | None = None
        self._replies = hiredis.Reader(
            protocolError=InvalidResponse, replyError=ResponseError, notEnoughData=_INCOMPLETE
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; `begin` sends over it."""
        self._transport = cast("asyncio.Transport", transport)
        if self.lost:
            self._transport.abort()

    def begin(self, handshake: list[bytes], preface: list[bytes]) -> None:
        """Send the handshake, the preface and the commands that have waited for the connection."""
        if self.lost:
            return
        self._handshake, self._ignored = len(handshake), len(preface)
        self._last_data = self._loop.time()
        unsent, self._unsent = self._unsent or [], None
        self._write(b"".join((*handshake, *preface, *unsent)))

    def send(self, command: bytes) -> asyncio.Future[Any]:
        """Send a command; return the future of its reply. Raise RedisError if MAX_IN_FLIGHT are in flight."""
        if len(self._in_flight) >= MAX_IN_FLIGHT:
            raise RedisError(f"{MAX_IN_FLIGHT} commands are in flight already")
        reply: asyncio.Future[Any] = self._loop.create_future()
        now = self._loop.time()
        if not self._in_flight:
            self._last_data = now
        self._in_flight.append((now, reply))
        if self._sweep is None:
            self._sweep = self._loop.call_later(TIMEOUT_SECONDS, self._time_out)
        if self._unsent is None:
            self._write(command)
        else:
            self._unsent.append(command)
        return reply

    def data_received(self, data: bytes) -> None:
        """Give each reply to its command."""
        self._last_data = self._loop.time()
        replies = self._replies
        try:
            replies.feed(data)
            while (reply := replies.gets()) is not _INCOMPLETE:
                if self._handshake:
                    self._handshake -= 1
                    if isinstance(reply, ResponseError):
                        self.lose(RedisError(str(reply)))
                        return
                elif self._ignored:
                    self._ignored -= 1
                elif self._in_flight:
                    _resolve(self._in_flight.popleft()[1], reply)
                else:
                    self.lose(RedisConnectionError(f"Redis sent a reply to no command: {reply}"))
                    return
        except InvalidResponse as error:
            self.lose(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the commands in flight, which may be sent again over a new connection."""
        self.lose(RedisConnectionError(f"The connection was lost: {exc}"))

    def lose(self, error: Exception) -> None:
        """Close the connection, and fail all commands in flight."""
        if self.lost:
            return
        self.lost = True
        if self._sweep is not None:
            self._sweep.cancel()
        if self._transport is not None:
            self._transport.abort()
        recent = self._loop.time() - TIMEOUT_SECONDS / 2
        for since, reply in self._in_flight:
            if not reply.done():
                # A command that was sent late in a silence has not waited for long, and may be sent again.
                sent_late = since > recent and isinstance(error, TimeoutError)
                reply.set_exception(RedisConnectionError("Redis was silent") if sent_late else error)
        self._in_flight.clear()

    def _write(self, data: bytes) -> None:
        try:
            cast("asyncio.Transport", self._transport).write(data)  # uvloop joins the writes of one turn
        except RuntimeError:  # the connection was reset, and `connection_lost` is called a turn later
            self._unsent = []

    def _time_out(self) -> None:
        """Fail the commands that have waited for too long. Their places stay, since their replies may still come."""
        now = self._loop.time()
        self._sweep = None
        if self._in_flight and now - self._last_data >= TIMEOUT_SECONDS:
            self.lose(TimeoutError("Redis did not reply in time"))
            return
        oldest = now
        for since, reply in self._in_flight:
            if since > now - TIMEOUT_SECONDS:
                oldest = since
                break
            if not reply.done():
                reply.set_exception(TimeoutError("Redis did not reply in time"))
        if self._in_flight:
            pause = min(oldest, self._last_data) + TIMEOUT_SECONDS - now
            self._sweep = self._loop.call_later(max(pause, _SWEEP_SECONDS), self._time_out)


def _packed(command: Command) -> bytes:
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # which takes bytes as well
    return packed


def _resolve(future: asyncio.Future[Any], reply: Any) -> None:
    if future.done():  # it was cancelled, or has timed out
        return
    if isinstance(reply, ResponseError):
        future.set_exception(reply)
    else:
        future.set_result(reply)
