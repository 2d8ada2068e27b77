"""One connection to Redis for all look-ups: what one turn of the event loop asks goes out together.

A connection a look-up, as redis-py has it, costs two system calls and its bookkeeping each time, which was 40% of what
a page of a timeline took. Redis serves one look-up after another anyway, so nobody waits longer here. redis-py makes
the connection, with all that its URL may say; what goes over it is packed and read by hiredis.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, cast

import hiredis
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisError, ResponseError

PATIENCE_SECONDS: Final = 2.0
MOST_WAITING: Final = 4_096
"""Look-ups at a time: tenths of a second of a Redis that is well. Of a slow one they would be too late anyway."""
_SWEEP_SECONDS: Final = 0.1
_READ_BYTES: Final = 1 << 18
_NO_MORE: Final = object()

Command = tuple[str | bytes | float, ...]


class Wire:
    """Asks Redis over one connection of a pool, which it makes when first asked and again after it was lost.

    `preface` goes before all else over each new connection; what Redis says to it is not looked at.
    """

    def __init__(self, pool: ConnectionPool, preface: Sequence[Command] = ()) -> None:
        self._pool = pool
        self._preface = preface
        self._unsent: list[bytes] = []
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()  # since when, in the order of the answers
        self._sweep: asyncio.TimerHandle | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._limit = asyncio.timeout(None)
        self._reading: asyncio.Task[None] | None = None

    async def ask(self, *command: str | bytes | float) -> Any:
        """The answer to a command that writes nothing: it is sent again, once, where the connection was lost.

        Raises ResponseError with the server's words, another RedisError, one where MOST_WAITING wait already, or
        OSError, TimeoutError where there is no answer for PATIENCE_SECONDS.
        """
        try:
            return await self._asked(command)
        except RedisConnectionError:
            return await self._asked(command)

    def _asked(self, command: Command) -> asyncio.Future[Any]:
        if len(self._waiting) >= MOST_WAITING:
            raise RedisError(f"{MOST_WAITING} look-ups wait already")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        if self._reading is None:
            self._reading = loop.create_task(self._read(), name="redis")
        if self._sweep is None:
            self._sweep = loop.call_later(PATIENCE_SECONDS, self._give_up)
        self._waiting.append((loop.time(), answer))
        self._send(_packed(command))
        return answer

    def _send(self, command: bytes) -> None:
        if self._writer is not None:
            try:
                self._writer.write(command)  # uvloop joins what one turn writes
            except RuntimeError:  # the connection was reset, and `_read` hears of it a turn later
                self._writer = None
            else:
                self._be_patient()
                return
        self._unsent.append(command)

    def _give_up(self) -> None:
        """Tell those who have waited for too long; their places stay, since their answers may come."""
        loop = asyncio.get_running_loop()
        late = loop.time() - PATIENCE_SECONDS
        self._sweep = None
        for since, answer in self._waiting:
            if since > late:
                self._sweep = loop.call_later(max(since - late, _SWEEP_SECONDS), self._give_up)
                return
            if not answer.done():
                answer.set_exception(TimeoutError("Redis did not answer in time"))

    def _be_patient(self) -> None:
        if self._limit.when() is None:
            self._limit.reschedule(asyncio.get_running_loop().time() + PATIENCE_SECONDS)

    async def _read(self) -> None:
        """Connect, and hand out the answers for as long as the connection lasts."""
        failed: Exception = RedisConnectionError("The connection was closed")
        try:
            connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
            try:
                await self._hand_out(connection)
            finally:
                self._writer = None
                await connection.disconnect(nowait=True)
                await self._pool.release(connection)
        except ConnectionError as error:
            failed = RedisConnectionError(f"{type(error).__name__}: {error}")
        except (RedisError, OSError) as error:
            failed = error
        finally:
            waiting, self._waiting = self._waiting, deque()
            self._unsent.clear()
            self._reading = None
            began = asyncio.get_running_loop().time() - PATIENCE_SECONDS / 2
            for since, answer in waiting:
                if not answer.done():
                    # Who came at the end of a silence has not been waiting, and may ask again.
                    came_late = since > began and isinstance(failed, TimeoutError)
                    answer.set_exception(RedisConnectionError("Redis was silent") if came_late else failed)

    async def _hand_out(self, connection: AbstractConnection) -> None:
        # redis-py has no door to its streams; its own reading of an answer takes three times as long as all of this
        stream = cast("asyncio.StreamReader", connection._reader)  # noqa: SLF001 - as said above
        self._writer = cast("asyncio.StreamWriter", connection._writer)  # noqa: SLF001 - as said above
        self._writer.write(b"".join(map(_packed, self._preface)))
        unheard = len(self._preface)
        answers = hiredis.Reader(protocolError=InvalidResponse, replyError=ResponseError, notEnoughData=_NO_MORE)
        async with asyncio.timeout(None) as self._limit:
            self._writer.writelines(self._unsent)
            self._unsent.clear()
            if self._waiting:
                self._be_patient()
            while data := await stream.read(_READ_BYTES):
                answers.feed(data)
                while (found := answers.gets()) is not _NO_MORE:
                    if unheard:
                        unheard -= 1
                    elif self._waiting:
                        _give(self._waiting.popleft()[1], found)
                    else:
                        raise RedisConnectionError(f"Redis said what nobody had asked: {found}")
                self._limit.reschedule(None)
                if self._waiting:
                    self._be_patient()


def _packed(command: Command) -> bytes:
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # which takes bytes as well
    return packed


def _give(answer: asyncio.Future[Any], found: Any) -> None:
    if answer.done():  # who asked has gone
        return
    if isinstance(found, ResponseError):
        answer.set_exception(found)
    else:
        answer.set_result(found)
