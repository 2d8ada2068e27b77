"""The parked messages in Redis: a replay is one call of a function that writes the views and removes the message.

The projector's own calls read the set of parked keys each time, so a running one continues with a key as soon as its
last parked message is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, cast

import msgspec
from redis import Redis
from redis.exceptions import ResponseError

from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_runtime.traces.tracer import Tracer
from projector.messages.parked import ParkedMessage
from projector.stores.base import UnappliableError
from projector.stores.redis import scripts
from projector.stores.redis.faults import passing_faults
from projector.stores.redis.reading import elements, members
from projector.stores.redis.replies import left_out_of
from projector.stores.redis.scripts import RedisSettings, cause_of
from projector.stores.task_store import LeftOut


class RedisParkedMessages:
    """The parked messages of one generation."""

    name = "redis"

    def __init__(self, client: Redis, settings: RedisSettings, tracer: Tracer | None = None) -> None:
        self._client = client
        self._settings = settings
        self._tracer = tracer
        self._unpark = client.register_script(scripts.source("unpark"))
        self._restate = client.register_script(scripts.source("restate"))

    def all(self) -> Iterator[ParkedMessage]:
        """Yield all of them, those of a key in their order."""
        for key in self._keys():
            yield from map(_decoded, self._queue(key))

    def first_of(self, key: str) -> ParkedMessage | None:
        """Return the key's message that is to be replayed next."""
        with passing_faults():
            text = cast("bytes | None", self._client.lindex(self._name(key), 0))
        return None if text is None else _decoded(text)

    def replay(self, message: ParkedMessage, writes: tuple[Any, ...]) -> tuple[LeftOut, ...] | None:
        """Write these and unpark the message, in one call. Raise UnappliableError."""
        return self._unpark_one(message, writes, must_be_first=True)

    def drop(self, message: ParkedMessage) -> bool:
        """Remove the message. Return False if it is not parked any more."""
        return self._unpark_one(message, (), must_be_first=False) is not None

    def restate(self, message: ParkedMessage, now: ParkedMessage) -> None:
        """Replace the key's first message, with another reason."""
        text = self._text_of(message)
        if text is not None:
            with passing_faults():
                self._restate([self._name(message.key)], [self._stem(), text, msgspec.json.encode(now)])

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _unpark_one(
        self, message: ParkedMessage, writes: tuple[Any, ...], *, must_be_first: bool
    ) -> tuple[LeftOut, ...] | None:
        settings, text = self._settings, self._text_of(message)
        if text is None:
            return None
        call = msgspec.msgpack.encode(
            (
                message.partition,
                message.key,
                text.decode(),
                must_be_first,
                message.sequence or 0,
                writes,
                settings.cap,
                settings.inline_max,
                settings.work_max,
                PARTITIONS,
                *cause_of(self._tracer, message.decoded()),
            )
        )
        try:
            with passing_faults():
                keys = [self._name(message.key), settings.registry]
                reply = cast("list[Any]", self._unpark(keys, [self._stem(), call, settings.generation]))
        except ResponseError as error:
            raise UnappliableError(None, str(error)) from error
        match reply:
            case [b"bad", reason]:
                raise UnappliableError(0, reason.decode())
            case [b"deep", most]:
                raise UnappliableError(0, f"waits behind {most:,} other messages of its key: handle those first")
            case [b"done", names]:
                return left_out_of(names)
        return None

    def _text_of(self, message: ParkedMessage) -> bytes | None:
        """Return the bytes as they are stored: an older projector may have written them in another form."""
        return next((text for text in self._queue(message.key) if _decoded(text) == message), None)

    def _keys(self) -> list[str]:
        with passing_faults():
            found = [
                chain.from_iterable(members(self._client, views.PARKED_KEYS.key(self._settings.prefix, partition)))
                for partition in range(PARTITIONS)
            ]
            return list(dict.fromkeys(key.decode() for keys in found for key in sorted(keys)))

    def _queue(self, key: str) -> Iterator[bytes]:
        with passing_faults():
            yield from chain.from_iterable(elements(self._client, self._name(key)))

    def _name(self, key: str) -> str:
        return views.PARKED.key(self._settings.prefix, key)

    def _stem(self) -> str:
        return views.stem(self._settings.prefix)


def _decoded(text: bytes) -> ParkedMessage:
    return msgspec.json.decode(text, type=ParkedMessage)
