from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

from write_api.domain import values
from write_api.domain.cheep import Cheep
from write_api.domain.errors import AuthorIdTaken
from write_api.domain.values import Bio, BirthDate, CheepText, Email, Identifier, Location, Name, Username, Website


def sign_up_rules(today: date) -> Mapping[str, values.Rule]:
    """The rule of each field of a sign-up."""
    return {
        "author_id": values.identifier,
        "username": values.username,
        "email": values.email,
        "name": values.name,
        "bio": values.bio,
        "location": values.location,
        "website": values.website,
        "birth_date": values.birth_date_before(today),
    }


@dataclass(slots=True, kw_only=True)
class Author:
    """Someone who signed up.

    `sign_up_digest` is of what was first sent, so that a repeat is known as one even after the profile has changed.
    `last_cheep_date` is 0 before the first cheep. Times are microseconds since the epoch, UTC.
    """

    author_id: Identifier
    username: Username
    email: Email
    signed_up_at: int
    sign_up_digest: bytes
    name: Name | None = None
    bio: Bio | None = None
    location: Location | None = None
    website: Website | None = None
    birth_date: BirthDate | None = None
    last_cheep_date: int = 0

    @classmethod
    def sign_up(cls, given: Mapping[str, str | None], now: int) -> Self:
        """The author that these fields of a sign-up make. Raises Invalid."""
        today = datetime.fromtimestamp(now // 1_000_000, UTC).date()
        fields = values.checked(sign_up_rules(today), given)
        return cls(**fields, signed_up_at=now, sign_up_digest=values.digest_of(fields))

    def accept_repeat(self, repeat: Author) -> None:
        """Let a second sign-up with this id pass if it says what the first one said. Raises AuthorIdTaken."""
        if repeat.sign_up_digest != self.sign_up_digest:
            raise AuthorIdTaken(self.author_id)

    def post(self, cheep_id: Identifier, text: CheepText, now: int) -> Cheep:
        """A new cheep. Its date is later than that of every cheep before it, even if the clock was set back."""
        self.last_cheep_date = max(now, self.last_cheep_date + 1)
        return Cheep.posted(cheep_id, self.author_id, text, self.last_cheep_date)
