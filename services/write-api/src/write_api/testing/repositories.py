"""The tables of the write model in memory, and the repositories over them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from write_api.bus.outcome import KnownCommand
from write_api.bus.unit_of_work import Checkpoint, HandledCommand
from write_api.domain import values
from write_api.domain.author import AHEAD_MAX, Author
from write_api.domain.block import Block
from write_api.domain.cheep import Cheep
from write_api.domain.errors import (
    AuthorNotFound,
    CheepIdTaken,
    CheepNotFound,
    EmailTaken,
    FollowIdTaken,
    TooManyFollows,
    TooManyFollowsADay,
    TooManyPostsADay,
    UsernameTaken,
)
from write_api.domain.follow import Follow
from write_api.domain.mute import Mute
from write_api.domain.notification import Notification
from write_api.domain.quotas import DAY, Quotas


@dataclass
class Tables:
    """The rows of the write model."""

    authors: dict[str, Author] = field(default_factory=dict)
    follows: dict[tuple[str, str], Follow] = field(default_factory=dict)
    begun_follows: list[Follow] = field(default_factory=list)
    mutes: dict[tuple[str, str], Mute] = field(default_factory=dict)
    blocks: dict[tuple[str, str], Block] = field(default_factory=dict)
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

    def __init__(self, tables: Tables, quotas: Quotas) -> None:
        self._tables = tables
        self._quotas = quotas

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
        if (
            sum(other.from_author_id == follow.from_author_id for other in self._tables.follows.values())
            >= self._quotas.follows
        ):
            raise TooManyFollows(self._quotas.follows)
        since, most = follow.followed_at - DAY, self._quotas.follows_per_day
        begun = [one for one in self._tables.begun_follows if one.from_author_id == follow.from_author_id]
        if most is not None and sum(one.followed_at > since for one in begun) >= most:
            raise TooManyFollowsADay(most)
        self._tables.begun_follows.append(copy.copy(follow))
        self._tables.follows[follow.from_author_id, follow.to_author_id] = copy.copy(follow)


class MemoryCheeps:
    """The cheeps in memory."""

    def __init__(self, tables: Tables, quotas: Quotas) -> None:
        self._tables = tables
        self._posts_per_day = quotas.posts_per_day

    async def of_id(self, cheep_id: str, *, lock: bool = False) -> Cheep | None:
        """Return the cheep as `domain.repositories` describes. The one lock of `MemoryTransactions` is every lock."""
        del lock
        return copy.copy(self._tables.cheeps.get(cheep_id))

    async def save(self, cheep: Cheep) -> None:
        """Save the cheep as `domain.repositories` describes."""
        known = self._tables.cheeps.get(cheep.cheep_id, cheep)
        if known.author_id != cheep.author_id:
            raise CheepIdTaken(cheep.cheep_id)
        since, most = cheep.cheep_date - DAY, self._posts_per_day
        dates = [one.cheep_date for one in self._tables.cheeps.values() if one.author_id == cheep.author_id]
        if most is not None and known is cheep and sum(date > since for date in dates) >= most:
            raise TooManyPostsADay(most)
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


class MemoryMutes:
    """The mutes in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_id(self, author_id: str, muted_id: str, /) -> Mute | None:
        """Return the mute as `domain.repositories` describes."""
        return copy.copy(self._tables.mutes.get((author_id, muted_id)))

    async def save(self, mute: Mute) -> None:
        """Save the mute as `domain.repositories` describes."""
        self._tables.mutes.pop((mute.author_id, mute.muted_id), None)
        if mute.ended_at is None:
            self._tables.mutes[mute.author_id, mute.muted_id] = copy.copy(mute)


class MemoryBlocks:
    """The blocks in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_id(self, author_id: str, blocked_id: str, /) -> Block | None:
        """Return the block as `domain.repositories` describes."""
        return copy.copy(self._tables.blocks.get((author_id, blocked_id)))

    async def save(self, block: Block) -> None:
        """Save the block as `domain.repositories` describes."""
        self._tables.blocks.pop((block.author_id, block.blocked_id), None)
        if block.ended_at is None:
            self._tables.blocks[block.author_id, block.blocked_id] = copy.copy(block)
