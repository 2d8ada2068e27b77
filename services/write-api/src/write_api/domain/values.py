"""The values that authors give. Each is made only if it keeps its rule.

Each kind of value is a type over text, and a rule of the same name that makes one of a given text. A rule raises
ValueError, whose text completes the sentence that begins with the field's name: "must be …". A stored value is taken as
it is, by the type alone: a rule that is tightened later must not lock anybody out. A field's name determines its rule.

Text is NFC; lengths are in Unicode code points after that. Every rule is made by `at_most`, so each has a limit.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from typing import Any, Final, NewType

from cheeper_contracts.http.responses import WrongField
from cheeper_contracts.text import nfc
from write_api.domain.addresses import is_website, normal_address, unique_address
from write_api.domain.errors import Invalid
from write_api.domain.rules import Rule, at_most
from write_api.domain.texts import has_controls, has_directional_controls, is_visible, isolated

UUID_PATTERN: Final = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
USERNAME_PATTERN: Final = "^[A-Za-z0-9_]{1,30}$"
DATE_PATTERN: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
UUID_LENGTH: Final = 36
USERNAME_LENGTH: Final = 30
DATE_LENGTH: Final = 10
EMAIL_LENGTH: Final = 254
MESSAGE_LENGTH: Final = 260
NAME_LENGTH: Final = 50
BIO_LENGTH: Final = 160
LOCATION_LENGTH: Final = 30
WEBSITE_LENGTH: Final = 200

_UUID: Final = re.compile(UUID_PATTERN[1:-1])
_USERNAME: Final = re.compile(USERNAME_PATTERN[1:-1])
_DATE: Final = re.compile(DATE_PATTERN[1:-1])

Identifier = NewType("Identifier", str)
"""A UUID of any version, in lower case."""
Username = NewType("Username", str)
"""A name that is unique without regard to case, and kept as written."""
Email = NewType("Email", str)
"""An address that is unique without regard to case, and never shown to others."""
CheepText = NewType("CheepText", str)
"""The text of a cheep, without the white space around it."""
Name = NewType("Name", str)
"""The name that an author goes by."""
Bio = NewType("Bio", str)
"""The description of an author, in its own words."""
Location = NewType("Location", str)
"""The place of an author, in its own words."""
Website = NewType("Website", str)
"""An http(s) URL."""
BirthDate = NewType("BirthDate", str)
"""A day, as `YYYY-MM-DD`."""


def day_of(moment: int) -> date:
    """Return the day in UTC of a moment, which is in microseconds since the epoch."""
    return datetime.fromtimestamp(moment // 1_000_000, UTC).date()


def digest_of(content: Mapping[str, str | None]) -> bytes:
    """Return 32 bytes that are the same for the same content. A field that is None counts as absent, so that a field
    which is added later does not change the digest of earlier content.
    """
    given = {field: text for field, text in content.items() if text is not None}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).digest()


@at_most(UUID_LENGTH)
def identifier(text: str) -> Identifier:
    """Accept any UUID."""
    if not _UUID.fullmatch(text):
        raise ValueError("must be a UUID")
    return Identifier(text.lower())


@at_most(USERNAME_LENGTH)
def username(text: str) -> Username:
    """Accept 1 to 30 letters, digits and underscores of ASCII."""
    if not _USERNAME.fullmatch(text):
        raise ValueError("must be 1 to 30 of the characters A-Z a-z 0-9 _")
    return Username(text)


@at_most(EMAIL_LENGTH)
def email(text: str) -> Email:
    """Accept an address of RFC 5321, and keep it with its domain in lower case."""
    return Email(normal_address(nfc(text, EMAIL_LENGTH)))


def unique_form(address: Email) -> str:
    """Return the form that all spellings of one address share. A stored address is taken as it is."""
    return unique_address(address)


@at_most(MESSAGE_LENGTH, trimmed=True)
def cheep_text(text: str) -> CheepText:
    """Accept 1 to 260 characters after trimming, of which one is visible at least. Directional controls are kept, and
    end where the text ends.
    """
    return CheepText(_isolated(_shown(text, MESSAGE_LENGTH), MESSAGE_LENGTH).strip())


@at_most(NAME_LENGTH, trimmed=True)
def name(text: str) -> Name:
    """Accept 1 to 50 characters after trimming, of which one is visible at least."""
    return Name(_without_directional_controls(_shown(text, NAME_LENGTH)))


@at_most(BIO_LENGTH)
def bio(text: str) -> Bio:
    """Accept at most 160 characters. Directional controls are as in a cheep."""
    return Bio(_isolated(_plain(text, BIO_LENGTH), BIO_LENGTH))


@at_most(LOCATION_LENGTH)
def location(text: str) -> Location:
    """Accept at most 30 characters."""
    return Location(_without_directional_controls(_plain(text, LOCATION_LENGTH)))


@at_most(WEBSITE_LENGTH)
def website(text: str) -> Website:
    """Accept a URL of at most 200 characters with a host and without a user's name."""
    url = nfc(text, WEBSITE_LENGTH)
    if not is_website(url):
        raise ValueError(
            "must be an http or https URL with a valid host, without a user's name, spaces and backslashes"
        )
    return Website(url)


@at_most(DATE_LENGTH)
def birth_date(text: str, today: date = date.max) -> BirthDate:
    """Accept a day before today."""
    if not _DATE.fullmatch(text):
        raise ValueError("must be a date, YYYY-MM-DD")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date that exists, YYYY-MM-DD") from None
    if day >= today:
        raise ValueError("must be in the past")
    return BirthDate(text)


RULES: Final[dict[str, Rule[..., str]]] = {
    "author_id": identifier,
    "from_author_id": identifier,
    "to_author_id": identifier,
    "follower_id": identifier,
    "muted_id": identifier,
    "blocked_id": identifier,
    "answered_by": identifier,
    "cheep_id": identifier,
    "in_reply_to": identifier,
    "follow_id": identifier,
    "notification_id": identifier,
    "previous_notification_id": identifier,
    "username": username,
    "email": email,
    "message": cheep_text,
    "name": name,
    "bio": bio,
    "location": location,
    "website": website,
    "birth_date": birth_date,
}
"""The rule of each field, whatever command it is in."""


def checked(given: Mapping[str, str | None], now: int) -> dict[str, Any]:
    """Return the value of each field by its rule; None stays None. Raise Invalid with every field that breaks its rule.
    `now` is in microseconds since the epoch.
    """
    rules = _rules_on(day_of(now))
    values: dict[str, object] = {}
    wrong = []
    for field, text in given.items():
        try:
            values[field] = None if text is None else rules[field](text)
        except ValueError as error:
            wrong.append(WrongField(field, str(error)))
    if wrong:
        raise Invalid(wrong)
    return values


@lru_cache(maxsize=1)
def _rules_on(today: date) -> dict[str, Callable[[str], str]]:
    return RULES | {"birth_date": partial(birth_date, today=today)}


def _plain(text: str, most: int) -> str:
    normal = nfc(text, most)
    if has_controls(normal):
        raise ValueError("must have no control characters but newline")
    return normal


def _shown(text: str, most: int) -> str:
    plain = _plain(text, most)
    if not is_visible(plain):
        raise ValueError(f"must have 1 to {most} characters, of which one is visible at least")
    return plain


def _isolated(text: str, most: int) -> str:
    return nfc(isolated(text), most)  # what stood before and behind a dropped control may be one character now


def _without_directional_controls(text: str) -> str:
    if has_directional_controls(text):
        raise ValueError("must have no directional controls (U+202A to U+202E, U+2066 to U+2069)")
    return text
