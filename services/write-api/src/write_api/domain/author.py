from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from write_api.domain import values
from write_api.domain.cheep import Cheep
from write_api.domain.notification import Notification
from write_api.domain.values import Bio, BirthDate, CheepText, Email, Identifier, Location, Name, Username, Website

AHEAD_MAX: Final = 600 * 1_000_000
"""Microseconds by which a cheep may be ahead of the clock and still be followed by later dates. One that is further
ahead was dated by a clock that was wrong, and decides nothing about the dates of others."""


@dataclass(slots=True, kw_only=True)
class Author:
    """An author who signed up.

    `last_cheep_date` is that of the last cheep which is not further ahead than AHEAD_MAX, 0 if there is none.
    `last_read` is the time and the id of the newest notification that the author has read. Times are microseconds
    since the epoch, UTC.
    """

    author_id: Identifier
    username: Username
    email: Email
    signed_up_at: int
    name: Name | None = None
    bio: Bio | None = None
    location: Location | None = None
    website: Website | None = None
    birth_date: BirthDate | None = None
    last_cheep_date: int = 0
    last_read: tuple[int, str] | None = None

    @classmethod
    def sign_up(cls, given: Mapping[str, str | None], now: int) -> Self:
        """Make the author of these fields of a sign-up. Raise Invalid."""
        return cls(**values.checked(given, now), signed_up_at=now)

    def change_profile(self, profile: Mapping[str, Any]) -> bool:
        """Set these fields of the profile, and return False if they have these values already."""
        if all(getattr(self, field) == value for field, value in profile.items()):
            return False
        for field, value in profile.items():
            setattr(self, field, value)
        return True

    def change_email(self, email: Email) -> bool:
        """Set the address, and return False if it is the author's already, in the same spelling."""
        changed = email != self.email
        self.email = email
        return changed

    def read_until(self, notification: Notification) -> bool:
        """Note that the author has read a notification and all older ones, and return False if it had before."""
        position = (notification.notified_at, notification.notification_id)
        if self.last_read is not None and position <= self.last_read:
            return False
        self.last_read = position
        return True

    def post(self, cheep_id: Identifier, text: CheepText, now: int) -> Cheep:
        """Make a new cheep, dated after the earlier ones, even if the clock was set back by under AHEAD_MAX."""
        return Cheep.posted(cheep_id, self.author_id, text, self._next_cheep_date(now))

    def answer(self, parent: Cheep, cheep_id: Identifier, text: CheepText, now: int) -> Cheep:
        """Make a cheep in answer to another one, dated like every cheep. Raise CheepNotFound if that one is deleted."""
        parent.refuse_deleted()
        return Cheep.posted(cheep_id, self.author_id, text, self._next_cheep_date(now), parent.cheep_id)

    def _next_cheep_date(self, now: int) -> int:
        self.last_cheep_date = max(now, self.last_cheep_date + 1)
        return self.last_cheep_date
