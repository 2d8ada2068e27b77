"""The hot views in Redis: reading them in pipelines, and mending by compare-and-set on the checkpoints."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from typing import Any, Final

import msgspec
from redis import Redis
from redis.exceptions import RedisError, ResponseError, WatchError

from cheeper_audit.difference import RedisMend
from cheeper_audit.stores import StoreAwayError, StoreState
from cheeper_contracts import generations, views
from cheeper_contracts.partitions import PARTITIONS

Command = tuple[str | bytes | int, ...]

_SCAN_COUNT: Final = 1_000
_EACH: Final = range(PARTITIONS)


class Unreadable(msgspec.Struct, frozen=True):
    """What a key gives that is of a wrong type."""

    why: str


class _Task(msgspec.Struct):
    sequence: int


class RedisViews:
    """The keys of one generation: the one of that number, else the live one as of the last `follow`."""

    def __init__(self, client: Redis, prefix: str, generation: int | None = None) -> None:
        self._client: Any = client  # its types leave bytes or text open
        self._first = prefix
        self._fixed = generation
        self._mend = client.register_script((files(__package__) / "mend.lua").read_text(encoding="utf-8"))
        self._number = generation or generations.FIRST

    @property
    def stem(self) -> str:
        """What all keys of the generation begin with; no other's begin so."""
        return views.stem(self._prefix)

    def key(self, pattern: views.KeyPattern, identifier: str | int) -> str:
        """The key of an author or a cheep."""
        return pattern.key(self._prefix, identifier)

    def follow(self) -> bool:
        """Turn to the generation that is live now, unless it is told which; whether that is another one than before.
        Raises StoreAwayError, also where the told one is not there.
        """
        registry = generations.registry_key(self._first)
        before = self._number
        if self._fixed is None:
            [live] = self.ask([("HGET", registry, generations.LIVE)])
            self._number = int(live or generations.FIRST)
            return self._number != before
        there, any_there = self.ask([("HEXISTS", registry, f"{generations.ENTRY}{self._fixed}"), ("EXISTS", registry)])
        if not there and (any_there or self._fixed != generations.FIRST):
            raise StoreAwayError(f"The Redis at REDIS_URL has no generation {self._fixed}.")
        return False

    def ask(self, commands: Iterable[Command]) -> list[Any]:
        """The replies in one round trip; Unreadable for a key of a wrong type. Raises StoreAwayError."""
        with _away():
            pipe = self._client.pipeline(transaction=False)
            for command in commands:
                pipe.execute_command(*command)
            replies = pipe.execute(raise_on_error=False)
        for reply in replies:
            if isinstance(reply, RedisError) and not _is_mistyped(reply):
                with _away():
                    raise reply
        return [Unreadable("of a wrong type") if _is_mistyped(reply) else reply for reply in replies]

    def state(self) -> StoreState:
        """How far it is, as `follow` turns to it. Raises StoreAwayError."""
        self.follow()
        replies = self.ask(
            command
            for partition in _EACH
            for command in (
                ("HGET", self.key(views.CHECKPOINT, partition), "sequence"),
                ("LLEN", self.key(views.TASK_AUTHORS, partition)),
                ("SCARD", self.key(views.PARKED_KEYS, partition)),
            )
        )
        sequences = {partition: int(replies[3 * partition] or 0) for partition in _EACH}
        return StoreState(self._number, sequences, tasks=sum(replies[1::3]), parked=sum(replies[2::3]))

    def parked_messages(self) -> int:
        """How many messages are parked, where `state` counts their keys. Raises StoreAwayError."""
        parked = self.ask(("SMEMBERS", self.key(views.PARKED_KEYS, partition)) for partition in _EACH)
        return sum(self.ask(("LLEN", self.key(views.PARKED, key.decode())) for keys in parked for key in keys))

    def oldest_tasks(self) -> dict[int, int]:
        """The lowest sequence that a fan-out task waits for, by partition that has tasks. Raises StoreAwayError."""
        oldest = {}
        lists = self.ask(("LRANGE", self.key(views.TASK_AUTHORS, partition), 0, -1) for partition in _EACH)
        for partition, authors in zip(_EACH, lists, strict=True):
            firsts = self.ask(("LINDEX", self.key(views.TASKS, author.decode()), 0) for author in authors if author)
            sequences = [msgspec.json.decode(text, type=_Task).sequence for text in firsts if text is not None]
            if sequences:
                oldest[partition] = min(sequences)
        return oldest

    def all_keys(self) -> Iterator[list[bytes]]:
        """All keys of the generation, some at a time; one may come twice. Raises StoreAwayError."""
        pattern, cursor = f"{_escaped(self.stem)}*", 0
        while True:
            with _away():
                cursor, found = self._client.scan(cursor, match=pattern, count=_SCAN_COUNT)
            yield found
            if not cursor:
                return

    def number_of_keys(self) -> int:
        """Of the whole database, other installations' too. Raises StoreAwayError."""
        with _away():
            return int(self._client.dbsize())

    def mend(self, mends: Sequence[RedisMend], sequences: dict[int, int]) -> int:
        """Run each mend in a step of its own, if the checkpoints still have these sequences and no fan-out task waits.

        Returns how many were run. Raises StoreAwayError.
        """
        checked = [self.key(views.CHECKPOINT, partition) for partition in _EACH]
        checked += [self.key(views.TASK_AUTHORS, partition) for partition in _EACH]
        wanted = [sequences[partition] for partition in _EACH]
        with _away():
            pipe = self._client.pipeline(transaction=False)
            for mend in mends:
                flat = [part for command in mend.commands for part in (len(command), *command)]
                keys = [generations.registry_key(self._first), *checked, *mend.keys]
                self._mend(keys, [self._number, len(wanted), *wanted, *flat], client=pipe)
            return sum(pipe.execute())

    def record_comparison(self) -> bool:
        """Set `COMPARED_AT` in the generation's entry. Return False if the generation is not active. Raise
        StoreAwayError.
        """
        registry, field = generations.registry_key(self._first), f"{generations.ENTRY}{self._number}"
        with _away(), self._client.pipeline() as pipe:
            while True:
                pipe.watch(registry)
                entry = msgspec.json.decode(pipe.hget(registry, field) or b"{}")
                if entry.get("state") in (None, "building", "deleting"):
                    return False
                entry[generations.COMPARED_AT] = time.time_ns() // 1_000
                pipe.multi()
                pipe.hset(registry, field, msgspec.json.encode(entry))
                with suppress(WatchError):
                    pipe.execute()
                    return True

    @property
    def _prefix(self) -> str:
        return generations.prefix_of(self._first, self._number)


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        why = f": {first}" if isinstance(error, ResponseError) else ""
        raise StoreAwayError(f"The Redis at REDIS_URL cannot be reached or does not serve{why}.") from error


def _is_mistyped(reply: object) -> bool:
    return isinstance(reply, ResponseError) and str(reply).startswith("WRONGTYPE")


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in "*?[]\\" else character for character in text)
