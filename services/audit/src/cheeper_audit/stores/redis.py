"""The hot views in Redis: reading them in pipelines, and repairing by compare-and-set on the checkpoints."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from typing import Any, Final

import msgspec
from redis import Redis
from redis.exceptions import RedisError, ResponseError, WatchError

from cheeper_audit.difference import RedisRepair
from cheeper_audit.stores import StoreState, StoreUnavailableError
from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views import generations

Command = tuple[str | bytes | int, ...]

_SCAN_COUNT: Final = 1_000
_EACH: Final = range(PARTITIONS)


class Unreadable(msgspec.Struct, frozen=True):
    """The reply for a key of a wrong type."""

    reason: str


class _Entry(msgspec.Struct):
    version: int | None = None


class _Task(msgspec.Struct):
    sequence: int


class RedisViews:
    """The keys of one generation: the one of that number, else the live one as of the last `follow`."""

    def __init__(self, client: Redis, prefix: str, generation: int | None = None) -> None:
        self._client: Any = client  # its types leave bytes or text open
        self._first = prefix
        self._fixed = generation
        self._repair = client.register_script((files(__package__) / "repair.lua").read_text(encoding="utf-8"))
        self._number = generation or generations.FIRST

    @property
    def generation(self) -> int:
        """The number of the generation that is read."""
        return self._number

    @property
    def stem(self) -> str:
        """The beginning of all keys of the generation, and of no other's."""
        return views.stem(self._prefix)

    def key(self, pattern: views.KeyPattern, identifier: str | int) -> str:
        """Return the key of an author or a cheep."""
        return pattern.key(self._prefix, identifier)

    def follow(self) -> bool:
        """Turn to the live generation, unless one was given. Return whether that is another one than before.

        Raise StoreUnavailableError, also if the given generation does not exist.
        """
        registry = generations.registry_key(self._first)
        before = self._number
        if self._fixed is None:
            [live] = self.execute([("HGET", registry, generations.LIVE)])
            self._number = int(live or generations.FIRST)
            return self._number != before
        there, any_there = self.execute(
            [("HEXISTS", registry, f"{generations.ENTRY}{self._fixed}"), ("EXISTS", registry)]
        )
        if not there and (any_there or self._fixed != generations.FIRST):
            raise StoreUnavailableError(f"The Redis at REDIS_URL has no generation {self._fixed}.")
        return False

    def execute(self, commands: Iterable[Command]) -> list[Any]:
        """Return the replies in one round trip, Unreadable for a key of a wrong type. Raise StoreUnavailableError."""
        with _as_unavailable():
            pipe = self._client.pipeline(transaction=False)
            for command in commands:
                pipe.execute_command(*command)
            replies = pipe.execute(raise_on_error=False)
        for reply in replies:
            if isinstance(reply, RedisError) and not _is_mistyped(reply):
                with _as_unavailable():
                    raise reply
        return [Unreadable("of a wrong type") if _is_mistyped(reply) else reply for reply in replies]

    def state(self) -> StoreState:
        """Return the state of the generation that `follow` turns to. Raise StoreUnavailableError."""
        self.follow()
        replies = self.execute(
            command
            for partition in _EACH
            for command in (
                ("HGET", self.key(views.CHECKPOINT, partition), "sequence"),
                ("LLEN", self.key(views.TASK_AUTHORS, partition)),
                ("SCARD", self.key(views.PARKED_KEYS, partition)),
            )
        )
        sequences = {partition: int(replies[3 * partition] or 0) for partition in _EACH}
        tasks, parked = sum(replies[1::3]), sum(replies[2::3])
        return StoreState(self._number, sequences, tasks, parked, version=self._version())

    def parked_messages(self) -> int:
        """Return the number of parked messages; `state` has that of their keys. Raise StoreUnavailableError."""
        number = 0
        for partition in _EACH:
            for keys in self._parked_keys(partition):
                number += sum(self.execute(("LLEN", self.key(views.PARKED, key.decode())) for key in keys))
        return number

    def oldest_tasks(self) -> dict[int, int]:
        """Return the lowest sequence of a waiting fan-out task, by partition that has tasks.

        Raise StoreUnavailableError.
        """
        oldest: dict[int, int] = {}
        for partition in _EACH:
            for authors in self._authors_with_tasks(partition):
                tasks = self.execute(("LINDEX", self.key(views.TASKS, author.decode()), 0) for author in authors)
                for text in filter(None, tasks):
                    sequence = msgspec.json.decode(text, type=_Task).sequence
                    oldest[partition] = min(sequence, oldest.get(partition, sequence))
        return oldest

    def all_keys(self) -> Iterator[list[bytes]]:
        """Yield all keys of the generation, some at a time; one may come twice. Raise StoreUnavailableError."""
        pattern, cursor = f"{_escaped(self.stem)}*", 0
        while True:
            with _as_unavailable():
                cursor, found = self._client.scan(cursor, match=pattern, count=_SCAN_COUNT)
            yield found
            if not cursor:
                return

    def number_of_keys(self) -> int:
        """Return the number of keys in the whole database. Raise StoreUnavailableError."""
        with _as_unavailable():
            return int(self._client.dbsize())

    def repair(self, repairs: Sequence[RedisRepair], sequences: dict[int, int]) -> int:
        """Run each repair in one step, if the checkpoints still have these sequences and no fan-out task waits.

        Return how many were run. Raise StoreUnavailableError.
        """
        checked = [self.key(views.CHECKPOINT, partition) for partition in _EACH]
        checked += [self.key(views.TASK_AUTHORS, partition) for partition in _EACH]
        wanted = [sequences[partition] for partition in _EACH]
        with _as_unavailable():
            pipe = self._client.pipeline(transaction=False)
            for repair in repairs:
                flat = [part for command in repair.commands for part in (len(command), *command)]
                keys = [generations.registry_key(self._first), *checked, *repair.keys]
                self._repair(keys, [self._number, len(wanted), *wanted, *flat], client=pipe)
            return sum(pipe.execute())

    def record_comparison(self) -> bool:
        """Set `COMPARED_AT` in the generation's entry. Return False if the generation is not active. Raise
        StoreUnavailableError.
        """
        registry, field = generations.registry_key(self._first), f"{generations.ENTRY}{self._number}"
        with _as_unavailable(), self._client.pipeline() as pipe:
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

    def _version(self) -> int | None:
        entry = f"{generations.ENTRY}{self._number}"
        [text] = self.execute([("HGET", generations.registry_key(self._first), entry)])
        return msgspec.json.decode(text, type=_Entry).version if text else None

    def _parked_keys(self, partition: int) -> Iterator[list[bytes]]:
        cursor: bytes | int = 0
        while True:
            [reply] = self.execute([("SSCAN", self.key(views.PARKED_KEYS, partition), cursor, "COUNT", _SCAN_COUNT)])
            cursor, keys = reply
            yield keys
            if not int(cursor):
                return

    def _authors_with_tasks(self, partition: int) -> Iterator[list[bytes]]:
        """Yield the authors, some at a time; one may come twice.

        The list turns meanwhile: its first author becomes the last. So it is read from its end, and then once more down
        to the one that was last in the beginning. None is missing if it turns by less than _SCAN_COUNT meanwhile.
        """
        last, parts = None, 0
        for authors in self._from_the_end(self.key(views.TASK_AUTHORS, partition)):
            last, parts = last or authors[-1], parts + 1
            yield [author for author in authors if author]
        if parts > 1:
            for authors in self._from_the_end(self.key(views.TASK_AUTHORS, partition)):
                yield [author for author in authors if author]
                if last in authors:
                    return

    def _from_the_end(self, key: str) -> Iterator[list[bytes]]:
        read = 0
        while True:
            [found] = self.execute([("LRANGE", key, -read - _SCAN_COUNT, -read - 1)])
            if found:
                yield found
            read += len(found)
            if len(found) < _SCAN_COUNT:
                return

    @property
    def _prefix(self) -> str:
        return generations.prefix_of(self._first, self._number)


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        why = f": {first}" if isinstance(error, ResponseError) else ""
        raise StoreUnavailableError(f"The Redis at REDIS_URL cannot be reached or does not serve{why}.") from error


def _is_mistyped(reply: object) -> bool:
    return isinstance(reply, ResponseError) and str(reply).startswith("WRONGTYPE")


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in "*?[]\\" else character for character in text)
