"""Lays data into stores by the definitions of `cheeper_contracts.views`, as the projector would."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec
import redis

from cheeper_contracts import views
from cheeper_contracts.views import CheepRecord, CommandRecord, KeyPattern, pack_entry


def new_id() -> str:
    """A fresh id."""
    return str(uuid.uuid4())


@dataclass
class Hot:
    """Redis, written by hand."""

    client: redis.Redis
    prefix: str

    def key(self, pattern: KeyPattern, identifier: str) -> str:
        """One key."""
        return pattern.key(self.prefix, identifier)

    def author(self, author_id: str, **values: str | int) -> None:
        """An author's counters."""
        self.client.hset(self.key(views.AUTHOR_COUNTERS, author_id), mapping=values)

    def follow(self, reader: str, *authors: str) -> None:
        """Let a reader follow authors."""
        if authors:
            self.client.zadd(self.key(views.FOLLOWING, reader), dict.fromkeys(authors, 0))

    def unfollow(self, reader: str, author: str) -> None:
        """Let a reader follow an author no more."""
        self.client.zrem(self.key(views.FOLLOWING, reader), author)

    def record(self, entry: bytes, author_id: str, message: str = "hello") -> None:
        """A cheep that lives."""
        _, cheep_id = views.unpack_entry(entry)
        record = CheepRecord(
            cheep_id=cheep_id,
            cheep_date="2022-03-14T21:08:50+00:00",
            cheep_message=message,
            author_id=author_id,
            author_username="bob",
        )
        self.client.set(self.key(views.CHEEP_RECORD, cheep_id), msgspec.json.encode(record))

    def bury(self, entry: bytes) -> None:
        """A deleted cheep's tombstone."""
        self.client.set(self.key(views.CHEEP_RECORD, views.unpack_entry(entry)[1]), b"")

    def insert(self, key: str, entry: bytes) -> None:
        """Put an entry at its place in a list that is newest first."""
        entries = sorted({*self.client.lrange(key, 0, -1), entry}, reverse=True)
        self.replace(key, entries)

    def replace(self, key: str, entries: list[bytes]) -> None:
        """Write a whole list in one transaction."""
        with self.client.pipeline() as pipe:
            pipe.delete(key)
            if entries:
                pipe.rpush(key, *entries)
            pipe.execute()

    def command(self, message_id: str, *, key: str, sequence: int, status: str = "handled") -> None:
        """A command's record."""
        record = command_record(message_id, key=key, sequence=sequence, status=status)
        self.client.set(self.key(views.COMMAND_RECORD, message_id), msgspec.json.encode(record))

    def task(self, author: str, sequence: int) -> None:
        """A fan-out task, the newest of its author."""
        task = {"sequence": sequence, "entry": "00" * 24, "after": ""}
        self.client.rpush(self.key(views.TASKS, author), msgspec.json.encode(task))

    def task_done(self, author: str) -> None:
        """The author's oldest task ends."""
        self.client.lpop(self.key(views.TASKS, author))


def command_record(message_id: str, *, key: str, sequence: int, status: str = "handled") -> CommandRecord:
    """What became of a command."""
    return CommandRecord(
        message_id=message_id,
        key=key,
        partition=0,
        sequence=sequence,
        type="cheeper.post-cheep.v1",
        status=status,  # type: ignore[arg-type]
        at=0,
        changed=True,
    )


@dataclass
class World:
    """Authors who post, and one reader whose timeline is laid down in Redis; knows what the timeline must be."""

    hot: Hot
    seed: random.Random
    reader: str = field(default_factory=new_id)
    cheeps: dict[str, list[bytes]] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)
    buried: set[bytes] = field(default_factory=set)
    listed: list[bytes] = field(default_factory=list)
    floor: bytes | None = None

    def timeline(self) -> list[bytes]:
        """What must be shown, newest first."""
        return sorted((e for a in self.followed for e in self.cheeps[a] if e not in self.buried), reverse=True)

    def lay(self, authors: int, cheeps: int, dates: int) -> None:
        """Authors with cheeps at random dates; the reader follows most of them."""
        for _ in range(authors):
            author = new_id()
            self.cheeps[author] = []
            if self.seed.random() < 0.8:
                self.followed.add(author)
        for _ in range(cheeps):
            self.post(self.seed.randrange(dates), show=False)
        self.hot.follow(self.reader, *self.followed)

    def post(self, date: int, *, show: bool = True) -> None:
        """A random author posts; a follower's list gets the entry where it lies above the floor."""
        author = self.seed.choice(list(self.cheeps))
        entry = pack_entry(date, str(uuid.UUID(int=self.seed.getrandbits(128))))
        self.cheeps[author].append(entry)
        self.hot.record(entry, author)
        self.hot.insert(self.hot.key(views.AUTHOR_CHEEPS, author), entry)
        if show and author in self.followed and (self.floor is None or entry > self.floor):
            self.write_list([*self.listed, entry])

    def bury(self, share: float) -> None:
        """Delete a share of the cheeps, with tombstones left in the lists."""
        for entry in [e for entries in self.cheeps.values() for e in entries]:
            if self.seed.random() < share:
                self.buried.add(entry)
                self.hot.bury(entry)

    def write_list(self, entries: list[bytes]) -> None:
        """Write the reader's list."""
        self.listed = sorted(entries, reverse=True)
        self.hot.replace(self.hot.key(views.TIMELINE, self.reader), self.listed)

    def trim(self, length: int) -> None:
        """Keep so many entries; the newest of the others becomes the floor."""
        if length < len(self.listed):
            self.floor = self.listed[length]
            self.hot.client.set(self.hot.key(views.TIMELINE_FLOOR, self.reader), self.floor)
            self.write_list(self.listed[:length])

    def leave_out(self) -> None:
        """Raise the floor to some entry that leaves the list, with half of what is older; the other half stays."""
        if self.listed:
            self.floor = self.seed.choice(self.listed)
            self.hot.client.set(self.hot.key(views.TIMELINE_FLOOR, self.reader), self.floor)
            self.write_list([e for e in self.listed if e > self.floor or (e < self.floor and self.seed.random() < 0.5)])

    def show_all(self) -> None:
        """The list holds all entries of the followed, tombstones too."""
        self.write_list([e for a in self.followed for e in self.cheeps[a]])


def entries_of(data: Any) -> list[str]:
    """The cheep ids of a page."""
    return [msgspec.json.decode(raw)["cheep_id"] for raw in data.cheeps]


def ids(entries: list[bytes]) -> list[str]:
    """The cheep ids of entries."""
    return [views.unpack_entry(entry)[1] for entry in entries]
