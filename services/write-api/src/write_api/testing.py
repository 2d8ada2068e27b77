"""A write model in memory that behaves like the one in Postgres, for tests without a server. `tests/integration` runs
the same suite over both.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from cheeper_contracts.messages import Command
from write_api.bus.bus import now_in_microseconds
from write_api.bus.outcome import KnownCommand
from write_api.bus.unit_of_work import Checkpoint, HandledCommand
from write_api.domain import values
from write_api.domain.author import AHEAD_MAX, Author
from write_api.domain.cheep import Cheep
from write_api.domain.errors import (
    AuthorNotFound,
    CheepIdTaken,
    CheepNotFound,
    EmailTaken,
    FollowIdTaken,
    TooManyFollows,
    UsernameTaken,
)
from write_api.domain.follow import FOLLOWS_MAX, Follow
from write_api.domain.notification import Notification


@dataclass
class Tables:
    """The rows of the write model."""

    authors: dict[str, Author] = field(default_factory=dict)
    follows: dict[tuple[str, str], Follow] = field(default_factory=dict)
    cheeps: dict[str, Cheep] = field(default_factory=dict)
    notifications: dict[str, Notification] = field(default_factory=dict)
    commands: dict[str, KnownCommand] = field(default_factory=dict)
    outbox: list[HandledCommand] = field(default_factory=list)
    checkpoints: dict[tuple[str, int], Checkpoint] = field(default_factory=dict)

    def take(self, other: Tables) -> None:
        """Replace all rows with those of the other tables."""
        vars(self).update(vars(copy.deepcopy(other)))


class MemoryAuthors:
    """The authors in memory."""

    def __init__(self, tables: Tables, now: int) -> None:
        self._tables = tables
        self._latest = now + AHEAD_MAX

    async def of_id(self, author_id: str) -> Author | None:
        """Return the author as `domain.repositories` describes."""
        author = copy.copy(self._tables.authors.get(author_id))
        if author is not None:
            dates = [cheep.cheep_date for cheep in self._tables.cheeps.values() if cheep.author_id == author_id]
            author.last_cheep_date = max((date for date in dates if date <= self._latest), default=0)
        return author

    async def save(self, author: Author) -> None:
        """Save the author as `domain.repositories` describes."""
        others = [other for other in self._tables.authors.values() if other.author_id != author.author_id]
        if any(other.username.lower() == author.username.lower() for other in others):
            raise UsernameTaken(author.username)
        if any(values.unique_form(other.email) == values.unique_form(author.email) for other in others):
            raise EmailTaken
        self._tables.authors[author.author_id] = copy.copy(author)


class MemoryFollows:
    """The follows in memory."""

    def __init__(self, tables: Tables, most: int) -> None:
        self._tables = tables
        self._most = most

    async def of_id(self, from_author_id: str, to_author_id: str) -> Follow | None:
        """Return the follow as `domain.repositories` describes."""
        return copy.copy(self._tables.follows.get((from_author_id, to_author_id)))

    async def save(self, follow: Follow) -> None:
        """Save the follow as `domain.repositories` describes."""
        if follow.ended_at is not None:
            del self._tables.follows[follow.from_author_id, follow.to_author_id]
            return
        if any(other.follow_id == follow.follow_id for other in self._tables.follows.values()):
            raise FollowIdTaken(follow.follow_id)
        for author_id in (follow.from_author_id, follow.to_author_id):
            if author_id not in self._tables.authors:
                raise AuthorNotFound(author_id)
        if sum(other.from_author_id == follow.from_author_id for other in self._tables.follows.values()) >= self._most:
            raise TooManyFollows(self._most)
        self._tables.follows[follow.from_author_id, follow.to_author_id] = copy.copy(follow)


class MemoryCheeps:
    """The cheeps in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_id(self, cheep_id: str, *, lock: bool = False) -> Cheep | None:
        """Return the cheep as `domain.repositories` describes. The one lock of `MemoryTransactions` is every lock."""
        del lock
        return copy.copy(self._tables.cheeps.get(cheep_id))

    async def save(self, cheep: Cheep) -> None:
        """Save the cheep as `domain.repositories` describes."""
        known = self._tables.cheeps.get(cheep.cheep_id, cheep)
        if known.author_id != cheep.author_id:
            raise CheepIdTaken(cheep.cheep_id)
        self._tables.cheeps[cheep.cheep_id] = copy.copy(cheep)


class MemoryNotifications:
    """The notifications in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_id(self, notification_id: str) -> Notification | None:
        """Return the notification as `domain.repositories` describes."""
        return copy.copy(self._tables.notifications.get(notification_id))

    async def save(self, notification: Notification) -> None:
        """Save the notification as `domain.repositories` describes."""
        for author_id in filter(None, (notification.author_id, notification.from_author_id)):
            if author_id not in self._tables.authors:
                raise AuthorNotFound(author_id)
        if notification.cheep_id and notification.cheep_id not in self._tables.cheeps:
            raise CheepNotFound(notification.cheep_id)
        self._tables.notifications[notification.notification_id] = copy.copy(notification)


class MemoryUnitOfWork:
    """A transaction over tables of its own."""

    def __init__(self, tables: Tables, now: int, follows_max: int = FOLLOWS_MAX) -> None:
        self._tables = tables
        self.now = now
        self.authors = MemoryAuthors(tables, now)
        self.follows = MemoryFollows(tables, follows_max)
        self.cheeps = MemoryCheeps(tables)
        self.notifications = MemoryNotifications(tables)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo the block's changes if it raises."""
        before = copy.deepcopy(self._tables)
        try:
            yield
        except BaseException:
            self._tables.take(before)
            raise

    async def known(self, message_ids: Collection[str]) -> dict[str, KnownCommand]:
        """Return what is recorded of the commands."""
        return {one: self._tables.commands[one] for one in message_ids if one in self._tables.commands}

    async def record(self, handled: Sequence[HandledCommand], checkpoints: Sequence[Checkpoint] = ()) -> None:
        """Record the commands, keep their messages in order, and move the checkpoints."""
        for checkpoint in checkpoints:
            self._tables.checkpoints[checkpoint.topic, checkpoint.partition] = checkpoint
        for one in handled:
            self._tables.outbox.append(one)
            self._tables.commands[one.message_id] = KnownCommand(
                digest=one.digest, accepted=one.accepted, outcome=one.outcome
            )


class MemoryTransactions:
    """Opens units of work, one after another, and reserves message ids for commands that are sent. `clock` is that of
    the store.
    """

    def __init__(self, follows_max: int = FOLLOWS_MAX, clock: Callable[[], int] = now_in_microseconds) -> None:
        self.tables = Tables()
        self._follows_max = follows_max
        self._reserved_at: dict[str, int] = {}
        self._clock = clock
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def begin(
        self, keys: Collection[str], commands: Sequence[Command] = (), *, separately: bool = False
    ) -> AsyncIterator[MemoryUnitOfWork]:
        """Open a transaction. Its one lock is every key's, and every save is written at once, so nothing clashes."""
        del keys, commands, separately
        async with self._lock:
            tables = copy.deepcopy(self.tables)
            yield MemoryUnitOfWork(tables, self._clock(), self._follows_max)
            self.tables.take(tables)

    async def reserve(self, message_id: str, digest: bytes, key: str, at: int) -> KnownCommand:
        """Reserve the message id as `bus.dispatcher.Reservations` describes."""
        del key
        reserved = KnownCommand(digest=digest, accepted=True, outcome=None)
        known = self.tables.commands.setdefault(message_id, reserved)
        if known.outcome is None and known.digest == digest:
            self.tables.commands[message_id], self._reserved_at[message_id] = reserved, at
        return self.tables.commands[message_id]

    async def withdraw(self, message_id: str, at: int) -> None:
        """Withdraw the reservation as `bus.dispatcher.Reservations` describes."""
        known = self.tables.commands[message_id]
        if known.outcome is None and self._reserved_at[message_id] == at:
            self.tables.commands[message_id] = msgspec.structs.replace(known, accepted=False)
