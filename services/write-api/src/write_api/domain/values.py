"""The values that authors give, each made only if it keeps its rule.

Each kind of value is a type over text, and a rule of the same name that makes one of what an author gave. A rule raises
ValueError, whose text completes the sentence that begins with the field's name: "must be …". What a store kept is taken
as it is, by the type alone: a rule that is tightened later must not lock anybody out.

Text is NFC; lengths are in Unicode code points after that.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, NewType
from urllib.parse import urlsplit

from cheeper_contracts.answers import WrongField
from write_api.domain.errors import Invalid

UUID_PATTERN: Final = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
USERNAME_PATTERN: Final = "^[A-Za-z0-9_]{1,30}$"
DATE_PATTERN: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
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
"""What a cheep says, without the white space around it."""
Name = NewType("Name", str)
"""The name that an author goes by."""
Bio = NewType("Bio", str)
"""What an author says of itself."""
Location = NewType("Location", str)
"""Where an author is, in its own words."""
Website = NewType("Website", str)
"""An http(s) URL."""
BirthDate = NewType("BirthDate", str)
"""A day, as `YYYY-MM-DD`."""

Rule = Callable[[str], object]
"""What makes a value of text, or raises ValueError."""


def checked(rules: Mapping[str, Rule], given: Mapping[str, str | None]) -> dict[str, Any]:
    """The value of each field by its rule; none stays none. Raises Invalid with every field that breaks its rule."""
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


def day_of(moment: int) -> date:
    """The day of a moment, which is in microseconds since the epoch, in UTC."""
    return datetime.fromtimestamp(moment // 1_000_000, UTC).date()


def digest_of(content: Mapping[str, str | None]) -> bytes:
    """32 bytes by which the same content is known again. A field that is none counts as absent, so that a field which
    is added to a form later does not change what was sent before it.
    """
    given = {field: text for field, text in content.items() if text is not None}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).digest()


def identifier(text: str) -> Identifier:
    """Any UUID."""
    if not _UUID.fullmatch(text):
        raise ValueError("must be a UUID")
    return Identifier(text.lower())


def username(text: str) -> Username:
    """1 to 30 letters, digits and underscores of ASCII."""
    if not _USERNAME.fullmatch(text):
        raise ValueError("must be 1 to 30 of the characters A-Z a-z 0-9 _")
    return Username(text)


def email(text: str) -> Email:
    """One @ with something on both sides, no white space."""
    address = unicodedata.normalize("NFC", text)
    local, _, domain = address.partition("@")
    if not local or not domain or "@" in domain or _has_space_or_control(address):
        raise ValueError("must be an address with one @ and no spaces")
    if len(address) > EMAIL_LENGTH:
        raise ValueError(f"must have at most {EMAIL_LENGTH} characters")
    return Email(address)


def unique_form(address: Email) -> str:
    """What two spellings of one address have in common."""
    return unicodedata.normalize("NFC", address.casefold())


def cheep_text(text: str) -> CheepText:
    """1 to 260 characters after trimming."""
    return CheepText(_text(text.strip(), 1, MESSAGE_LENGTH))


def name(text: str) -> Name:
    """1 to 50 characters."""
    return Name(_text(text, 1, NAME_LENGTH))


def bio(text: str) -> Bio:
    """At most 160 characters."""
    return Bio(_text(text, 0, BIO_LENGTH))


def location(text: str) -> Location:
    """At most 30 characters."""
    return Location(_text(text, 0, LOCATION_LENGTH))


def website(text: str) -> Website:
    """A URL of at most 200 characters with a host."""
    url = unicodedata.normalize("NFC", text)
    if len(url) > WEBSITE_LENGTH:
        raise ValueError(f"must have at most {WEBSITE_LENGTH} characters")
    if _has_space_or_control(url) or not _is_http_url(url):
        raise ValueError("must be an http or https URL")
    return Website(url)


def birth_date_before(today: date) -> Callable[[str], BirthDate]:
    """The rule that it is a day in the past."""

    def birth_date(text: str) -> BirthDate:
        if not _DATE.fullmatch(text):
            raise ValueError("must be a date, YYYY-MM-DD")
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise ValueError("must be a date that exists, YYYY-MM-DD") from None
        if day >= today:
            raise ValueError("must be in the past")
        return BirthDate(text)

    return birth_date


def _text(text: str, least: int, most: int) -> str:
    normal = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(character) == "Cc" and character != "\n" for character in normal):
        raise ValueError("must have no control characters but newline")
    if not least <= len(normal) <= most:
        raise ValueError(f"must have {least} to {most} characters")
    return normal


def _has_space_or_control(text: str) -> bool:
    return any(character.isspace() or unicodedata.category(character) == "Cc" for character in text)


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
