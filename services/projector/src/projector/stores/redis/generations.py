"""The registry of generations in Redis: a hash, changed by WATCH and MULTI; a switch is one call of a function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, cast

import msgspec
from redis import Redis
from redis.exceptions import WatchError

from cheeper_contracts import views
from cheeper_contracts.generations import FIRST, LIVE, prefix_of, registry_key
from cheeper_contracts.lag import lag_key, report_id
from cheeper_contracts.partitions import PARTITIONS
from projector.generations.registry import BehindError, Generation, GenerationError, Registry
from projector.stores.base import StoreUnavailableError
from projector.stores.redis import scripts
from projector.stores.redis.faults import passing_faults

PREVIOUS: Final = "previous"
LAST: Final = "last"
_AT_ONCE: Final = 1_000
"""Keys that one step of a clearing removes; and tasks and parked messages that a switch looks at, at most."""
_GENERATION: Final = "generation:"
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
        """As it is now."""
        with passing_faults():
            return _decoded(cast("dict[bytes, bytes]", self._client.hgetall(self._key)))

    def register(self, version: int) -> Registry:
        """The registry, with the first generation in it."""
        return self._step(lambda registry: registry.with_first(version, _now()))

    def create(self, version: int) -> Generation:
        """One more, to be built. Raises GenerationError."""
        made = self._step(lambda registry: registry.with_first(version, _now()).with_new(version, _now()))
        return made.of(made.last)

    def stand(self, number: int) -> None:
        """It is filled from now on by every projector of its version. Raises GenerationError."""
        self._step(lambda registry: registry.with_standing(number))

    def switch(self, number: int, *, restored: bool = False) -> None:
        """Shows it to readers from now on. Raises BehindError, GenerationError."""
        for _ in range(_ATTEMPTS):
            registry = self.registry()
            registry.with_live(number)
            reply = self._call_switch(registry, number, restored=restored)
            if reply[0] == b"switched":
                return
            if reply[0] == b"behind":
                raise BehindError(f"generation {number} {reply[1].decode()}")
        raise StoreUnavailableError("the registry of generations keeps changing")

    def forget(self, number: int) -> None:
        """Nothing is written into it from now on. Raises GenerationError for the live one."""
        self._step(lambda registry: registry.with_forgetting(number))

    def clear(self, number: int) -> Iterator[int]:
        """Removes the keys of one that is being forgotten, some at a time; after each step, how many are removed."""
        if self.registry().has(number):
            raise GenerationError(f"generation {number} is to be forgotten first")
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
        """Takes it out of the registry. Raises GenerationError unless it was being forgotten."""
        self._step(lambda registry: registry.without(number))
        with passing_faults():
            self._client.hdel(lag_key(self._prefix), *(report_id(number, partition) for partition in range(PARTITIONS)))

    def close(self) -> None:
        """Gives its connections back."""
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
                with suppress(WatchError):  # somebody was faster: look again
                    pipe.execute()
                    return after

    def _call_switch(self, registry: Registry, number: int, *, restored: bool) -> list[Any]:
        arguments: list[str | int | bytes] = [
            views.stem(prefix_of(self._prefix, registry.live)),
            views.stem(prefix_of(self._prefix, number)),
            registry.live,
            number,
            msgspec.json.encode(registry.of(number)),
            PARTITIONS,
            _AT_ONCE,
            "restored" if restored else "",
        ]
        with passing_faults():
            return cast("list[Any]", self._switch([self._key], arguments))


def generation_patterns() -> tuple[views.KeyPattern, ...]:
    """The key patterns that each generation has: all but what is not made of the event log."""
    return tuple(pattern for pattern in views.KEY_PATTERNS if pattern is not views.ACCEPTED_COMMAND)


def escaped(text: str) -> str:
    """The text as a pattern of SCAN that means nothing but itself."""
    return "".join(f"\\{letter}" if letter in r"*?[]^\-" else letter for letter in text)


def _decoded(fields: dict[bytes, bytes]) -> Registry:
    texts = {name.decode(): value for name, value in fields.items()}
    found = [
        msgspec.json.decode(value, type=Generation) for name, value in texts.items() if name.startswith(_GENERATION)
    ]
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
    return fields | {f"{_GENERATION}{number}": msgspec.json.encode(one) for number, one in registry.generations.items()}


def _now() -> int:
    return time.time_ns() // 1_000
