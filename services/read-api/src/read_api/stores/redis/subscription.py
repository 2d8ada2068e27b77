"""The projector's messages about timelines, over a connection that is there only while something is subscribed to.

Pub/sub keeps nothing. So after a connection was lost, each reader's streams get REFRESH once the next one has
subscribed, for what may have been published between the two. A connection that is silent is probed, since a lost one
looks the same.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from cheeper_contracts.views.streams import CHEEP, OWN, RECORD, REFRESH, all_streams, stream_of
from cheeper_runtime.retry import Backoff
from read_api.query_bus.query import StoreUnavailableError
from read_api.stores.redis.connection import TIMEOUT_SECONDS
from read_api.streams.stream import Message

PROBE_SECONDS: Final = 5.0
"""The silence after which a connection is probed, and after as much again is given up."""
_WITH_RECORD: Final = (CHEEP, OWN, RECORD)
_ENTRY: Final = slice(1, 25)
_RECORD: Final = slice(25, None)

log = structlog.get_logger()

Receive = Callable[[str | None, Message], None]


def connect(url: str) -> Redis:
    """Return a client for a subscription. It never connects again by itself, which would hide what was missed."""
    return Redis.from_url(url, socket_connect_timeout=TIMEOUT_SECONDS, retry=Retry(NoBackoff(), 0), protocol=2)


@dataclass
class _Subscribe:
    """A SUBSCRIBE that is not confirmed: whom it releases, and whether an earlier connection was subscribed."""

    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    repeated: bool = False


@dataclass
class _Channel:
    """The channel of one reader: the number of its streams, and each SUBSCRIBE that is not confirmed, in order."""

    streams: int = 0
    unconfirmed: deque[_Subscribe] = field(default_factory=deque)

    def subscribe_anew(self) -> None:
        """Let one SUBSCRIBE of a new connection stand for all of the one before."""
        waiting = [future for each in self.unconfirmed for future in each.waiting]
        repeated = not self.unconfirmed or any(each.repeated for each in self.unconfirmed)
        self.unconfirmed = deque([_Subscribe(waiting, repeated=repeated)])


class Subscription:
    """Subscribes to readers' timelines, and passes the messages to `receive`, with None for what concerns all."""

    def __init__(self, client: Redis, prefix: str, receive: Receive, *, probe_seconds: float = PROBE_SECONDS) -> None:
        self._client = client
        self._all = all_streams(prefix)
        self._stem = stream_of(prefix, "")
        self._receive = receive
        self._probe_seconds = probe_seconds
        self._channels: dict[str, _Channel] = {}
        self._commands: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._loop: asyncio.Task[None] | None = None

    async def add(self, reader_id: str) -> None:
        """Implement `Changes`."""
        if self._loop is None:
            self._loop = asyncio.create_task(self._run(self._commands), name="subscription")
        channel = self._channels.setdefault(reader_id, _Channel())
        channel.streams += 1
        if channel.streams == 1:
            channel.unconfirmed.append(_Subscribe())
            self._commands.put_nowait(("subscribe", reader_id))
        if not channel.unconfirmed:
            return
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        channel.unconfirmed[-1].waiting.append(confirmed)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await confirmed
        except TimeoutError:
            raise StoreUnavailableError("redis", "it does not confirm a subscription") from None

    def remove(self, reader_id: str) -> None:
        """Implement `Changes`."""
        channel = self._channels[reader_id]
        channel.streams -= 1
        if channel.streams:
            return
        if not channel.unconfirmed:
            del self._channels[reader_id]
        if any(each.streams for each in self._channels.values()):
            self._commands.put_nowait(("unsubscribe", reader_id))
        elif self._loop is not None:
            self._channels.clear()
            self._commands = asyncio.Queue()
            self._loop.cancel()
            self._loop = None

    async def _run(self, commands: asyncio.Queue[tuple[str, str]]) -> None:
        """Keep a connection until nothing is subscribed to any more."""
        backoff = Backoff()
        while self._goes_on(commands):
            try:
                async with self._client.pubsub() as pubsub:
                    await pubsub.connect()
                    await pubsub.subscribe(self._all, *self._subscribe_anew(commands))
                    backoff.reset()
                    await self._converse(pubsub, commands)
            except (RedisError, OSError) as error:
                log.warning("subscription lost", error=repr(error))
            await asyncio.sleep(backoff.next())

    def _goes_on(self, commands: asyncio.Queue[tuple[str, str]]) -> bool:
        """Return False if the loop of these commands is to end. Python 3.11's `wait_for`, in the client, may swallow a
        cancellation, so each step of the loop asks.
        """
        return commands is self._commands

    def _subscribe_anew(self, commands: asyncio.Queue[tuple[str, str]]) -> list[str]:
        """Return the channels of a new connection, whose one SUBSCRIBE stands for all commands that wait."""
        while not commands.empty():
            commands.get_nowait()
        self._channels = {reader_id: channel for reader_id, channel in self._channels.items() if channel.streams}
        for channel in self._channels.values():
            channel.subscribe_anew()
        return [self._stem + reader_id for reader_id in self._channels]

    async def _converse(self, pubsub: PubSub, commands: asyncio.Queue[tuple[str, str]]) -> None:
        """Send commands and receive messages until the connection is lost. Raise RedisError or OSError."""
        both = {
            asyncio.create_task(self._send(pubsub, commands)),
            asyncio.create_task(self._listen(pubsub, commands)),
        }
        try:
            ended, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in both:
                task.cancel()
            await pubsub.aclose()  # type: ignore[no-untyped-call]  # as redis-py has it
            await asyncio.gather(*both, return_exceptions=True)

    async def _send(self, pubsub: PubSub, commands: asyncio.Queue[tuple[str, str]]) -> None:
        while self._goes_on(commands):
            command, reader_id = await commands.get()
            await getattr(pubsub, command)(self._stem + reader_id)

    async def _listen(self, pubsub: PubSub, commands: asyncio.Queue[tuple[str, str]]) -> None:
        probed = False
        while self._goes_on(commands):
            message = await pubsub.get_message(timeout=self._probe_seconds)
            if message is not None:
                probed = False
                self._dispatch(message)
            elif probed:
                raise TimeoutError("Redis is silent")
            else:
                probed = True
                await pubsub.ping()

    def _dispatch(self, message: dict[str, Any]) -> None:
        channel, data = (message["channel"] or b"").decode(), message["data"]
        reader_id = channel.removeprefix(self._stem) if channel.startswith(self._stem) else None
        if message["type"] == "message":
            self._receive(reader_id, _message_of(data))
        elif message["type"] == "subscribe" and reader_id is not None:
            self._confirm(reader_id)

    def _confirm(self, reader_id: str) -> None:
        channel = self._channels.get(reader_id)
        if channel is None or not channel.unconfirmed:
            return
        confirmed = channel.unconfirmed.popleft()
        if confirmed.repeated:
            self._receive(reader_id, Message(REFRESH))
        for future in confirmed.waiting:
            if not future.done():
                future.set_result(None)
        if not channel.streams and not channel.unconfirmed:
            del self._channels[reader_id]


def _message_of(data: bytes) -> Message:
    kind = data[:1]
    if kind in _WITH_RECORD:
        return Message(kind, data[_ENTRY], data[_RECORD])
    return Message(kind, data[1:])
