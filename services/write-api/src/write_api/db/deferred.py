"""Repositories that find each aggregate once, and write what was saved together, at the transaction's end.

A batch of commands so takes some statements in all, and not some for each command. What the tables alone can tell (that
a username, a follow_id or a cheep's id is taken, that an author has not signed up) shows at the end then, and of the
whole batch: that is a ClashError, and the batch is run again with repositories that write at once.
Commands of one key end as if each had been run alone, in their order. Between keys no order is promised: what another
key's command makes true (the sign-up of a follower, say) may count for an earlier one of the batch.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import IntegrityError

from write_api.bus.unit_of_work import ClashError
from write_api.db.authors import PostgresAuthors
from write_api.db.cheeps import PostgresCheeps
from write_api.db.follows import PostgresFollows
from write_api.db.notifications import PostgresNotifications
from write_api.domain.author import Author
from write_api.domain.cheep import Cheep
from write_api.domain.errors import Refusal
from write_api.domain.follow import Follow
from write_api.domain.notification import Notification

Id = TypeVar("Id")
Aggregate = TypeVar("Aggregate")


class Kept(Generic[Id, Aggregate]):
    """Aggregates of one kind in one transaction: what was found, and above it what was saved since.

    What it gives is a copy, so that what a refused command did to it is gone with it. `once`: it has a name that no
    other may have (an address, a follow_id); saved a second time, the first name would never be tried.
    """

    def __init__(
        self,
        find: Callable[[Collection[Id]], Awaitable[dict[Id, Aggregate]]],
        write: Callable[[Sequence[Aggregate]], Awaitable[None]],
        *,
        once: bool = False,
    ) -> None:
        self._find = find
        self._write = write
        self._once = once
        self._found: dict[Id, Aggregate | None] = {}
        self.saved: dict[Id, Aggregate] = {}

    async def foresee(self, identities: Collection[Id]) -> None:
        """Find at once what will be asked for, most likely."""
        if identities:
            found = await self._find(identities)
            self._found |= {identity: found.get(identity) for identity in identities}

    async def of_id(self, identity: Id) -> Aggregate | None:
        """The aggregate as this transaction has left it."""
        if identity not in self.saved and identity not in self._found:
            await self.foresee([identity])
        return copy.copy(self.saved.get(identity) or self._found.get(identity))

    def save(self, identity: Id, aggregate: Aggregate) -> None:
        """Keep it until `flush`. Raises ClashError."""
        if self._once and identity in self.saved:
            raise ClashError("one aggregate is changed twice")
        self.saved[identity] = copy.copy(aggregate)

    def known(self) -> list[Aggregate]:
        """All that was found or saved."""
        return [*self.saved.values(), *(found for found in self._found.values() if found is not None)]

    async def flush(self) -> None:
        """Write all that was saved. Raises ClashError."""
        if self.saved:
            try:
                await self._write(list(self.saved.values()))
            except (Refusal, IntegrityError) as error:
                raise ClashError(str(error)) from error


class DeferredCheeps:
    """Cheeps, written at the end."""

    def __init__(self, stored: PostgresCheeps) -> None:
        self._stored = stored
        self.kept = Kept(stored.of_ids, stored.save_all)

    async def of_id(self, cheep_id: str, *, hold: bool = False) -> Cheep | None:
        """As `domain.repositories` has it. What was saved in this transaction is held by it already."""
        if hold and cheep_id not in self.kept.saved:
            return await self._stored.of_id(cheep_id, hold=True)
        return await self.kept.of_id(cheep_id)

    async def save(self, cheep: Cheep) -> None:
        """As `domain.repositories` has it."""
        self.kept.save(cheep.cheep_id, cheep)

    def last_date(self, author_id: str) -> int:
        """When the author's last cheep of this transaction was posted; 0 for none."""
        return max((cheep.cheep_date for cheep in self.kept.saved.values() if cheep.author_id == author_id), default=0)


class DeferredAuthors:
    """Authors, written at the end."""

    def __init__(self, stored: PostgresAuthors, last_date: Callable[[str], int]) -> None:
        self._last_date = last_date
        self.kept = Kept(stored.of_ids, stored.save_all, once=True)

    async def of_id(self, author_id: str) -> Author | None:
        """As `domain.repositories` has it."""
        author = await self.kept.of_id(author_id)
        if author is not None:
            author.last_cheep_date = max(author.last_cheep_date, self._last_date(author_id))
        return author

    async def save(self, author: Author) -> None:
        """As `domain.repositories` has it."""
        self.kept.save(author.author_id, author)


class DeferredFollows:
    """Follows, written at the end."""

    def __init__(self, stored: PostgresFollows) -> None:
        self.kept = Kept(stored.of_ids, stored.save_all, once=True)

    async def of_id(self, from_author_id: str, to_author_id: str) -> Follow | None:
        """As `domain.repositories` has it."""
        follow = await self.kept.of_id((from_author_id, to_author_id))
        return None if follow is None or follow.ended_at is not None else follow

    async def save(self, follow: Follow) -> None:
        """As `domain.repositories` has it."""
        pair = (follow.from_author_id, follow.to_author_id)
        if any(
            other.follow_id == follow.follow_id and (other.from_author_id, other.to_author_id) != pair
            for other in self.kept.known()
        ):
            raise ClashError("another pair of this batch has or had the follow_id")
        self.kept.save(pair, follow)


class DeferredNotifications:
    """Notifications, written at the end."""

    def __init__(self, stored: PostgresNotifications) -> None:
        self.kept = Kept(stored.of_ids, stored.save_all)

    async def of_id(self, notification_id: str) -> Notification | None:
        """As `domain.repositories` has it."""
        return await self.kept.of_id(notification_id)

    async def save(self, notification: Notification) -> None:
        """As `domain.repositories` has it."""
        self.kept.save(notification.notification_id, notification)
