"""The repositories of the aggregates. Each finds an aggregate by its identity and saves it whole, new or changed.

Rules across aggregates are decided by saving, not by reading first: two sign-ups at once must not both win. The Refusal
of such a rule is raised by `save` or, if changes are written later, at the end of the command's savepoint.
"""

from __future__ import annotations

from typing import Protocol

from write_api.domain.author import Author
from write_api.domain.block import Block
from write_api.domain.cheep import Cheep
from write_api.domain.follow import Follow
from write_api.domain.mute import Mute
from write_api.domain.notification import Notification


class Authors(Protocol):
    """All authors."""

    async def of_id(self, author_id: str) -> Author | None:
        """Return the author, or None if nobody signed up with that id."""

    async def save(self, author: Author) -> None:
        """Save the author. Raise UsernameTaken or EmailTaken if another author has either."""


class Follows(Protocol):
    """All follows that exist now. The identity of a follow is its pair of authors."""

    async def of_id(self, from_author_id: str, to_author_id: str) -> Follow | None:
        """Return the follow of that pair, or None if there is no such follow."""

    async def save(self, follow: Follow) -> None:
        """Save a follow that began, or remove one that ended. Raise AuthorNotFound if one of the two has not signed up,
        FollowIdTaken if another pair has its follow_id, TooManyFollows if the follower follows as many as one may, and
        TooManyFollowsADay if it began as many within a day.
        """


class Cheeps(Protocol):
    """All cheeps, deleted ones too."""

    async def of_id(self, cheep_id: str, *, lock: bool = False) -> Cheep | None:
        """Return the cheep, or None if none was ever posted with that id.

        With `lock`, nobody can edit or delete it until this transaction ends. A transaction that has the key of the
        cheep's author needs no lock.
        """

    async def save(self, cheep: Cheep) -> None:
        """Save the cheep. Raise CheepIdTaken if another author's cheep has that id, and TooManyPostsADay if a new one
        is more than its author may post within a day.
        """


class Notifications(Protocol):
    """All notifications of authors."""

    async def of_id(self, notification_id: str) -> Notification | None:
        """Return the notification, or None if none was made with that id."""

    async def save(self, notification: Notification) -> None:
        """Save a new notification. Raise AuthorNotFound if one of its authors has not signed up, and CheepNotFound if
        its cheep was never posted.
        """


class Mutes(Protocol):
    """All mutes that exist now. The identity of a mute is its pair of authors."""

    async def of_id(self, author_id: str, muted_id: str, /) -> Mute | None:
        """Return the mute of that pair, or None if there is no such mute."""

    async def save(self, mute: Mute) -> None:
        """Save a mute that began, or remove one that ended. Both authors have signed up."""


class Blocks(Protocol):
    """All blocks that exist now. The identity of a block is its pair of authors."""

    async def of_id(self, author_id: str, blocked_id: str, /) -> Block | None:
        """Return the block of that pair, or None if there is no such block."""

    async def save(self, block: Block) -> None:
        """Save a block that began, or remove one that ended. Both authors have signed up."""


class Repositories(Protocol):
    """The repositories of one transaction: all that a command's handler may read and change."""

    @property
    def authors(self) -> Authors:
        """All authors."""

    @property
    def follows(self) -> Follows:
        """All follows."""

    @property
    def cheeps(self) -> Cheeps:
        """All cheeps."""

    @property
    def notifications(self) -> Notifications:
        """All notifications."""

    @property
    def mutes(self) -> Mutes:
        """All mutes."""

    @property
    def blocks(self) -> Blocks:
        """All blocks."""
