"""Two generations of the Redis views beside each other, key by key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import msgspec
from redis import Redis

from cheeper_contracts import views
from cheeper_contracts.generations import prefix_of
from cheeper_contracts.partitions import PARTITIONS
from projector.generations.diff import Pair, Place
from projector.parked.message import ParkedMessage
from projector.stores.redis.faults import passing_faults
from projector.stores.redis.generations import escaped

_AT_ONCE: Final = 500
_CHUNK: Final = 5_000
"""Members of a set or list that are in memory at once."""
_LEAST_LEFT: Final = 60_000
"""Milliseconds that a record must have left to live, or it may be gone on one side before it is on the other."""

_COMPARED: Final = (
    views.AUTHOR_COUNTERS,
    views.FOLLOWERS,
    views.FOLLOWING,
    views.CHEEP_RECORD,
    views.AUTHOR_CHEEPS,
    views.TIMELINE,
    views.COMMAND_RECORD,
    views.PARKED,
)


class RedisSides:
    """Checkpoints, tasks and refills are left out: no reader sees them. Of a timeline counts what is above both floors
    and lives: below, and over dead entries, a page is put together from the authors' own lists.
    """

    names = tuple(pattern.name for pattern in _COMPARED)

    def __init__(self, client: Redis, prefix: str, live: int, other: int) -> None:
        self._client = client
        self._prefixes = (prefix_of(prefix, live), prefix_of(prefix, other))
        self._lookers: dict[str, Callable[[str, str], Pair]] = {
            views.AUTHOR_COUNTERS.name: self._hash,
            views.TIMELINE.name: self._timeline,
            views.COMMAND_RECORD.name: self._record,
            views.PARKED.name: self._parked,
            views.CHEEP_RECORD.name: self._text,
            views.FOLLOWERS.name: self._members,
            views.FOLLOWING.name: self._members,
            views.AUTHOR_CHEEPS.name: self._members,
        }

    def pages(self, view: str) -> Iterator[Sequence[str]]:
        """The ids of a view that the live generation has."""
        return self._pages(0, view)

    def surplus(self, view: str) -> Iterator[Sequence[str]]:
        """The ids that the other one has and the live one has not."""
        for ids in self._pages(1, view):
            with passing_faults(), self._client.pipeline(transaction=False) as pipe:
                for name in ids:
                    pipe.exists(self._key(0, view, name))
                there = pipe.execute()
            if lacking := [name for name, found in zip(ids, there, strict=True) if not found]:
                yield lacking

    def look(self, view: str, ids: Sequence[str]) -> Mapping[str, Pair]:
        """The views of these ids as they are now."""
        with passing_faults():
            return {name: self._lookers[view](view, name) for name in ids}

    def places(self) -> tuple[Place, Place]:
        """How far the live one and the other are."""
        live, other = (self._place(side) for side in (0, 1))
        return live, other

    def close(self) -> None:
        """Gives its connections back."""
        self._client.close()

    def _place(self, side: int) -> Place:
        with passing_faults(), self._client.pipeline(transaction=True) as pipe:
            for partition in range(PARTITIONS):
                pipe.hget(self._key(side, views.CHECKPOINT.name, partition), "sequence")
                pipe.lrange(self._key(side, views.TASK_AUTHORS.name, partition), 0, 1)
            replies = pipe.execute()
        # The empty text is the turn of short timelines, which no reader sees.
        busy = any(author for authors in replies[1::2] for author in authors)
        return Place({partition: int(reply or 0) for partition, reply in enumerate(replies[::2])}, busy)

    def _pages(self, side: int, view: str) -> Iterator[Sequence[str]]:
        start, cursor = self._key(side, view, ""), 0
        while True:
            with passing_faults():
                cursor, keys = cast(
                    "tuple[int, list[bytes]]", self._client.scan(cursor, match=f"{escaped(start)}*", count=_AT_ONCE)
                )
            if keys:
                yield [key.decode().removeprefix(start) for key in keys]
            if cursor == 0:
                return

    def _both(self, pattern: views.KeyPattern | str, name: str, read: Callable[[Any, str], Any]) -> list[Any]:
        view = pattern if isinstance(pattern, str) else pattern.name
        with self._client.pipeline(transaction=True) as pipe:
            for side in (0, 1):
                read(pipe, self._key(side, view, name))
            return pipe.execute()

    def _text(self, view: str, name: str) -> Pair:
        live, other = self._both(view, name, lambda pipe, key: pipe.get(key))
        return Pair(_digest(live), _digest(other), _unequal(live, other))

    def _hash(self, view: str, name: str) -> Pair:
        live, other = self._both(view, name, lambda pipe, key: pipe.hgetall(key))
        parts = tuple(sorted(field.decode() for field, _ in live.items() ^ other.items()))
        return Pair(_digest(sorted(live.items())), _digest(sorted(other.items())), tuple(dict.fromkeys(parts)))

    def _members(self, view: str, name: str) -> Pair:
        """A list or set of any length, some members at a time; one that moves meanwhile looks different, and is looked
        at again.
        """
        sums, first = [hashlib.sha256(), hashlib.sha256()], 0
        ask = "lrange" if view == views.AUTHOR_CHEEPS.name else "zrange"
        while True:
            chunks = self._both(view, name, lambda pipe, key: getattr(pipe, ask)(key, first, first + _CHUNK - 1))  # noqa: B023 - is used at once
            for digest, chunk in zip(sums, chunks, strict=True):
                digest.update(b"".join(chunk))
            first += _CHUNK
            if all(len(chunk) < _CHUNK for chunk in chunks):
                live, other = (digest.digest() for digest in sums)
                return Pair(live, other, _unequal(live, other))

    def _timeline(self, _view: str, name: str) -> Pair:
        lists = self._both(views.TIMELINE, name, lambda pipe, key: pipe.lrange(key, 0, -1))
        floors = self._both(views.TIMELINE_FLOOR, name, lambda pipe, key: pipe.get(key))
        floor = max(each or b"" for each in floors)
        live, other = ([entry for entry in each if entry > floor] for each in lists)
        if live != other:
            live, other = self._living(0, live), self._living(1, other)
        return Pair(_digest(live), _digest(other), _unequal(live, other))

    def _living(self, side: int, entries: list[bytes]) -> list[bytes]:
        if not entries:
            return []
        records = [self._key(side, views.CHEEP_RECORD.name, views.unpack_entry(entry)[1]) for entry in entries]
        there = cast("list[bytes | None]", self._client.mget(records))
        return [entry for entry, record in zip(entries, there, strict=True) if record]

    def _record(self, view: str, name: str) -> Pair:
        live, other = self._both(view, name, lambda pipe, key: pipe.get(key))
        left = self._both(view, name, lambda pipe, key: pipe.pttl(key))
        ends = (live is None or other is None) and max(left) < _LEAST_LEFT
        return Pair(_digest(live), _digest(other), () if ends else _unequal(live, other))

    def _parked(self, view: str, name: str) -> Pair:
        queues = self._both(view, name, lambda pipe, key: pipe.lrange(key, 0, -1))
        live, other = ([msgspec.json.decode(text, type=ParkedMessage).place for text in queue] for queue in queues)
        return Pair(_digest(live), _digest(other), _unequal(live, other))

    def _key(self, side: int, view: str, name: str | int) -> str:
        return f"{views.stem(self._prefixes[side])}{view}:{name}"


def _unequal(live: object, other: object) -> tuple[str, ...]:
    if live == other:
        return ()
    return ("(missing)",) if not other else ("(surplus)",) if not live else ("",)


def _digest(value: object) -> bytes:
    return hashlib.sha256(repr(value).encode()).digest()
