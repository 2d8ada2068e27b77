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
    """Authors who post, and one reader whose timeline is laid down in Redis; knows what the timeline must be, and what
    was `removed` from it at some time. As in the projector, what belongs together is written in one transaction.
    """

    hot: Hot
    seed: random.Random
    reader: str = field(default_factory=new_id)
    authors: list[str] = field(default_factory=list)
    cheeps: dict[str, list[bytes]] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)
    muted: set[str] = field(default_factory=set)
    buried: set[bytes] = field(default_factory=set)
    removed: set[bytes] = field(default_factory=set)
    listed: list[bytes] = field(default_factory=list)
    floor: bytes | None = None

    def timeline(self) -> list[bytes]:
        """Return the entries of the timeline, newest first."""
        return sorted((e for a in self.followed for e in self.cheeps[a] if e not in self.buried), reverse=True)

    def lay(self, authors: int, cheeps: int, dates: int) -> None:
        """Authors with cheeps at random dates; the reader follows most of them."""
        for _ in range(authors):
            author = str(uuid.UUID(int=self.seed.getrandbits(128)))
            self.authors.append(author)
            self.cheeps[author] = []
            if self.seed.random() < 0.8:
                self.followed.add(author)
        for _ in range(cheeps):
            self.post(self.seed.randrange(dates), show=False)
        self.hot.follow(self.reader, *self.followed)

    def post(self, date: int, *, show: bool = True) -> None:
        """A random author posts; a follower's list gets the entry where it lies above the floor."""
        author = self.seed.choice(self.authors)
        entry = pack_entry(date, str(uuid.UUID(int=self.seed.getrandbits(128))))
        self.cheeps[author].append(entry)
        self.hot.record(entry, author)
        self.hot.own(author, entry)
        if show and author in self.followed and (self.floor is None or entry > self.floor):
            self.write_list([*self.listed, entry])

    @property
    def fickle(self) -> list[str]:
        """Half of the authors: whose follows and cheeps do not last."""
        return self.authors[::2]

    @property
    def seen(self) -> set[str]:
        """The authors whose cheeps the timeline shows."""
        return self.followed - self.muted

    def mute(self) -> None:
        """A random author is muted, followed or not. No list is changed."""
        author = self.seed.choice(self.authors)
        self.muted.add(author)
        self.hot.mute(self.reader, author)

    def unmute(self) -> None:
        """A random author is muted no more."""
        author = self.seed.choice(self.authors)
        self.muted.discard(author)
        self.hot.unmute(self.reader, author)

    def bury(self, share: float, authors: list[str] | None = None) -> None:
        """Delete a share of all cheeps, or of some authors', whose entries stay in the lists."""
        for entry in [e for author in authors or self.authors for e in self.cheeps[author]]:
            if self.seed.random() < share:
                self.buried.add(entry)
                self.removed.add(entry)
                self.hot.bury(entry)

    def delete(self) -> None:
        """Delete a cheep, whose entry leaves all lists."""
        author = self.seed.choice(self.fickle)
        if self.cheeps[author]:
            entry = self.cheeps[author].pop(self.seed.randrange(len(self.cheeps[author])))
            self.removed.add(entry)
            self.hot.bury(entry)
            self.hot.disown(author, entry)
            self.write_list([e for e in self.listed if e != entry])

    def edit(self) -> None:
        """Write a cheep anew."""
        author = self.seed.choice(self.authors)
        alive = [entry for entry in self.cheeps[author] if entry not in self.buried]
        if alive:
            self.hot.record(self.seed.choice(alive), author, "edited")

    def unfollow(self) -> None:
        """An author's entries leave the reader's list with the follow."""
        author = self.seed.choice(self.fickle)
        self.followed.discard(author)
        self.removed.update(self.cheeps[author])
        self.hot.unfollow(self.reader, author)
        self.write_list([e for e in self.listed if e not in set(self.cheeps[author])])

    def follow(self) -> None:
        """An author's entries above the floor come into the reader's list with the follow."""
        author = self.seed.choice(self.authors)
        if author not in self.followed:
            self.followed.add(author)
            self.hot.follow(self.reader, author)
            self.write_list([*self.listed, *(e for e in self.cheeps[author] if self.floor is None or e > self.floor)])

    def write_list(self, entries: list[bytes], floor: bytes | None = None) -> None:
        """Write the reader's list, and its floor where that changes."""
        self.listed = sorted(entries, reverse=True)
        self.floor = floor or self.floor
        self.hot.replace(self.hot.key(views.TIMELINE, self.reader), self.listed, self._floor_key, self.floor)

    def trim(self, length: int) -> None:
        """Keep so many entries; the newest of the others becomes the floor."""
        if length < len(self.listed):
            self.write_list(self.listed[:length], self.listed[length])

    def refill(self) -> None:
        """The list gets what is just below its floor, which sinks."""
        if self.floor is not None:
            below = sorted((e for a in self.followed for e in self.cheeps[a] if e <= self.floor), reverse=True)
            self.floor = below[10] if len(below) > 10 else None
            self.write_list([*self.listed, *below[:10]])

    def leave_out(self) -> None:
        """Raise the floor to some entry that leaves the list, with half of what is older; the other half stays."""
        if self.listed:
            floor = self.seed.choice(self.listed)
            kept = [e for e in self.listed if e > floor or (e < floor and self.seed.random() < 0.5)]
            self.write_list(kept, floor)

    def show_all(self) -> None:
        """The list holds all entries of the followed, deleted ones too."""
        self.write_list([e for a in self.followed for e in self.cheeps[a]])

    def change(self, dates: int) -> None:
        """Any of the things that happen to a timeline."""
        moves = [
            lambda: self.post(self.seed.randrange(dates)),
            lambda: self.trim(self.seed.randrange(len(self.listed) + 1)),
            lambda: self.bury(0.02, self.fickle),
            *(self.refill, self.delete, self.edit, self.unfollow, self.follow),
        ]
        self.seed.choice(moves)()

    @property
    def _floor_key(self) -> str:
        return self.hot.key(views.TIMELINE_FLOOR, self.reader)


def entries_of(data: Any) -> list[str]:
    """The cheep ids of a page."""
    return [msgspec.json.decode(raw)["cheep_id"] for raw in data.cheeps]


def ids(entries: list[bytes]) -> list[str]:
    """The cheep ids of entries."""
    return [views.unpack_entry(entry)[1] for entry in entries]
