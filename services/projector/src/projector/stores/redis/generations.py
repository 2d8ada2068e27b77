"""The registry of generations in Redis: a hash, changed by WATCH and MULTI. A switch is one call of a function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, cast

import msgspec
from redis import Redis
from redis.exceptions import WatchError

from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.generations import ENTRY, FIRST, LIVE, prefix_of, registry_key
from cheeper_contracts.views.lag import lag_key, report_id
from projector.stores.base import StoreUnavailableError
from projector.stores.redis import scripts
from projector.stores.redis.faults import passing_faults
from projector.stores.registry import BehindError, Generation, GenerationError, Registry

PREVIOUS: Final = "previous"
LAST: Final = "last"
_AT_ONCE: Final = 1_000
"""Keys that one step of `clear` removes, and tasks and parked messages that a switch compares, at most."""
_ATTEMPTS: Final = 3
_Value = bytes | bytearray | memoryview | str | int | float


class RedisGenerations:
    """The generations of the Redis views. `prefix` is the installation's."""

    name = "redis"

    def __init__(self, client: Redis, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._key = registry_key(prefix)
        self._switch = client.register_script(scripts.source("switch"))

    def registry(self) -> Registry:
        """Return the registry as it is now."""
        return _decoded(self._fields())

    def register(self, version: int) -> Registry:
        """Return the registry after the first generation was registered if there was none."""
        return self._step(lambda registry: registry.with_first(version, _now()))

    def create(self, version: int) -> Generation:
        """Add a generation to be built. Raise GenerationError."""
        made = self._step(lambda registry: registry.with_first(version, _now()).with_new(version, _now()))
        return made.of(made.last)

    def activate(self, number: int) -> None:
        """Let every projector of its version fill the generation from now on. Raise GenerationError."""
        self._step(lambda registry: registry.with_active(number))

    def switch(self, number: int, *, restored: bool = False) -> None:
        """Show readers the generation. Raise BehindError and GenerationError."""
        for _ in range(_ATTEMPTS):
            fields = self._fields()
            registry = _decoded(fields)
            registry.with_live(number)
            reply = self._call_switch(registry.live, number, fields[f"{ENTRY}{number}".encode()], restored=restored)
            if reply[0] == b"switched":
                return
            if reply[0] == b"behind":
                raise BehindError(f"generation {number} {reply[1].decode()}")
        raise StoreUnavailableError("the registry of generations keeps changing")

    def forget(self, number: int) -> None:
        """Let nothing be written into the generation any more. Raise GenerationError if it is live."""
        self._step(lambda registry: registry.with_deleting(number))

    def clear(self, number: int) -> Iterator[int]:
        """Remove the keys of a generation that is being deleted, in bounded steps; yield the number removed so far."""
        if self.registry().has(number):
            raise GenerationError(f"generation {number} is not deleting")
        stem = views.stem(prefix_of(self._prefix, number))
        ours = tuple(f"{stem}{pattern.name}:".encode() for pattern in generation_patterns())
        cursor, removed = 0, 0
        while True:
            with passing_faults():
                cursor, keys = cast(
                    "tuple[int, list[bytes]]", self._client.scan(cursor, match=f"{escaped(stem)}*", count=_AT_ONCE)
                )
                doomed = [key for key in keys if key.startswith(ours)]
                removed += self._client.unlink(*doomed) if doomed else 0
            yield removed
            if cursor == 0:
                return

    def remove(self, number: int) -> None:
        """Remove a generation from the registry. Raise GenerationError unless it is being deleted."""
        self._step(lambda registry: registry.without(number))
        with passing_faults():
            self._client.hdel(lag_key(self._prefix), *(report_id(number, partition) for partition in range(PARTITIONS)))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _step(self, step: Callable[[Registry], Registry]) -> Registry:
        with passing_faults(), self._client.pipeline() as pipe:
            while True:
                pipe.watch(self._key)  # type: ignore[no-untyped-call]
                before = _decoded(cast("dict[bytes, bytes]", pipe.hgetall(self._key)))
                after = step(before)
                if after == before:
                    return after
                pipe.multi()
                pipe.delete(self._key)
                pipe.hset(self._key, mapping=_encoded(after))
                with suppress(WatchError):  # somebody was faster: read it again
                    pipe.execute()
                    return after

    def _fields(self) -> dict[bytes, bytes]:
        with passing_faults():
            return cast("dict[bytes, bytes]", self._client.hgetall(self._key))

    def _call_switch(self, live: int, number: int, entry: bytes, *, restored: bool) -> list[Any]:
        arguments: list[str | int | bytes] = [
            views.stem(prefix_of(self._prefix, live)),
            views.stem(prefix_of(self._prefix, number)),
            live,
            number,
            entry,
            PARTITIONS,
            _AT_ONCE,
            "restored" if restored else "",
        ]
        with passing_faults():
            return cast("list[Any]", self._switch([self._key], arguments))


def generation_patterns() -> tuple[views.KeyPattern, ...]:
    """Return the key patterns that each generation has: all that are made of the event log."""
    return tuple(pattern for pattern in views.KEY_PATTERNS if pattern is not views.ACCEPTED_COMMAND)


def escaped(text: str) -> str:
    """Return the pattern of SCAN that matches the text alone."""
    return "".join(f"\\{letter}" if letter in r"*?[]^\-" else letter for letter in text)


def _decoded(fields: dict[bytes, bytes]) -> Registry:
    texts = {name.decode(): value for name, value in fields.items()}
    found = [msgspec.json.decode(value, type=Generation) for name, value in texts.items() if name.startswith(ENTRY)]
    generations = {one.number: one for one in sorted(found, key=lambda one: one.number)}
    return Registry(
        live=int(texts.get(LIVE, FIRST)),
        previous=int(texts[PREVIOUS]) if PREVIOUS in texts else None,
        last=int(texts.get(LAST, max(generations, default=FIRST))),
        generations=generations,
    )


def _encoded(registry: Registry) -> Mapping[_Value, _Value]:
    fields: dict[_Value, _Value] = {LIVE: str(registry.live), LAST: str(registry.last)}
    if registry.previous is not None:
        fields[PREVIOUS] = str(registry.previous)
    return fields | {f"{ENTRY}{number}": msgspec.json.encode(one) for number, one in registry.generations.items()}


def _now() -> int:
    return time.time_ns() // 1_000
