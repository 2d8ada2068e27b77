"""A world in Redis: authors who post, and a reader whose timeline is known."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec
from read_api_layout import Hot, new_id

from cheeper_contracts import views
from cheeper_contracts.views import pack_entry


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
        """Delete a share of the cheeps, whose entries stay in the lists."""
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
        """The list holds all entries of the followed, deleted ones too."""
        self.write_list([e for a in self.followed for e in self.cheeps[a]])


def entries_of(data: Any) -> list[str]:
    """The cheep ids of a page."""
    return [msgspec.json.decode(raw)["cheep_id"] for raw in data.cheeps]


def ids(entries: list[bytes]) -> list[str]:
    """The cheep ids of entries."""
    return [views.unpack_entry(entry)[1] for entry in entries]
