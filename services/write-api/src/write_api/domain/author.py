from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

from write_api.domain import values
from write_api.domain.cheep import Cheep
from write_api.domain.errors import AuthorIdTaken
from write_api.domain.values import Bio, BirthDate, CheepText, Email, Identifier, Location, Name, Username, Website

EMAIL_RULES: Final[dict[str, values.Rule]] = {"author_id": values.identifier, "email": values.email}
"""The rule of each field of a change of the e-mail address."""


def sign_up_rules(today: date) -> Mapping[str, values.Rule]:
    """The rule of each field of a sign-up."""
    return {"username": values.username, "email": values.email, **profile_rules(today)}


def profile_rules(today: date) -> Mapping[str, values.Rule]:
    """The rule of each field of a profile, and of whose it is."""
    return {
        "author_id": values.identifier,
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
        fields = values.checked(sign_up_rules(values.day_of(now)), given)
        return cls(**fields, signed_up_at=now, sign_up_digest=values.digest_of(fields))

    def accept_repeat(self, repeat: Author) -> None:
        """Let a second sign-up with this id pass if it says what the first one said. Raises AuthorIdTaken."""
        if repeat.sign_up_digest != self.sign_up_digest:
            raise AuthorIdTaken(self.author_id)

    def change_profile(self, profile: Mapping[str, Any]) -> bool:
        """Let these fields of the profile have these values, of `profile_rules`; false where they have them already."""
        if all(getattr(self, field) == value for field, value in profile.items()):
            return False
        for field, value in profile.items():
            setattr(self, field, value)
        return True

    def change_email(self, email: Email) -> bool:
        """Be reached at this address; false where it is the author's already, in the same spelling."""
        changed = email != self.email
        self.email = email
        return changed

    def post(self, cheep_id: Identifier, text: CheepText, now: int) -> Cheep:
        """A new cheep. Its date is later than that of every cheep before it, even if the clock was set back."""
        return Cheep.posted(cheep_id, self.author_id, text, self._next_cheep_date(now))

    def answer(self, parent: Cheep, cheep_id: Identifier, text: CheepText, now: int) -> Cheep:
        """A new cheep in answer to another one, dated as all of them. Raises CheepNotFound where that is deleted."""
        parent.refuse_deleted()
        return Cheep.posted(cheep_id, self.author_id, text, self._next_cheep_date(now), parent.cheep_id)

    def _next_cheep_date(self, now: int) -> int:
        self.last_cheep_date = max(now, self.last_cheep_date + 1)
        return self.last_cheep_date
