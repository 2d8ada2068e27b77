"""Where aggregates are kept: asked for by identity, which for a follow is its pair, and saved whole, new or changed.

What holds across aggregates is decided by `save`, not by looking first: two sign-ups at once must not both win.
"""

from __future__ import annotations

from typing import Protocol

from write_api.domain.author import Author
from write_api.domain.cheep import Cheep
from write_api.domain.follow import Follow
from write_api.domain.notification import Notification


class Authors(Protocol):
    """All authors."""

    async def of_id(self, author_id: str) -> Author | None:
        """The author, if one signed up with that id."""

    async def save(self, author: Author) -> None:
        """Keep the author. Raises UsernameTaken or EmailTaken where another author was as fast with either."""


class Follows(Protocol):
    """Who follows whom now."""

    async def of_id(self, from_author_id: str, to_author_id: str) -> Follow | None:
        """The follow of that pair, if there is one."""

    async def save(self, follow: Follow) -> None:
        """Keep a follow that began, or remove one that ended. Raises AuthorNotFound where one of the two has not signed
        up, and FollowIdTaken where its follow_id is another pair's.
        """


class Cheeps(Protocol):
    """All cheeps, deleted ones too."""

    async def of_id(self, cheep_id: str, *, hold: bool = False) -> Cheep | None:
        """The cheep, if one was ever posted with that id.

        `hold`: whoever would edit or delete it waits until this transaction ends. A transaction that has the key of the
        cheep's author needs no hold.
        """

    async def save(self, cheep: Cheep) -> None:
        """Keep the cheep. Raises CheepIdTaken where another author was as fast with that id."""


class Notifications(Protocol):
    """What authors were told."""

    async def of_id(self, notification_id: str) -> Notification | None:
        """The notification, if one was made with that id."""

    async def save(self, notification: Notification) -> None:
        """Keep a new notification. Raises AuthorNotFound where one of its authors has not signed up, and CheepNotFound
        where its cheep was never posted.
        """
