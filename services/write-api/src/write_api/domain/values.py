"""The values that authors give, each made only if it keeps its rule.

A value is text that has been checked. Making one raises ValueError whose text completes the sentence that begins with
the field's name: "must be …". `kept` makes one of text that was checked when it was first given, without checking it
again: a rule that is tightened later must not lock anybody out.

Text is NFC; lengths are in Unicode code points after that.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, Self
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


def digest_of(content: Mapping[str, str | None]) -> bytes:
    """32 bytes by which the same content is known again. A field that is none counts as absent, so that a field which
    is added to a form later does not change what was sent before it.
    """
    given = {field: text for field, text in content.items() if text is not None}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).digest()


class Value(str):
    """Text that keeps a rule."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """The value of that text. Raises ValueError where it breaks the rule."""
        return cls.kept(cls._rule(text))

    @classmethod
    def kept(cls, text: str) -> Self:
        """The value of text that was checked when it was first given."""
        return str.__new__(cls, text)

    @classmethod
    def _rule(cls, text: str) -> str:
        """The text as it is to be kept. Raises ValueError where it breaks the rule."""
        raise NotImplementedError


class Identifier(Value):
    """A UUID of any version, in lower case."""

    __slots__ = ()

    @classmethod
    def _rule(cls, text: str) -> str:
        if not _UUID.fullmatch(text):
            raise ValueError("must be a UUID")
        return text.lower()


class Username(Value):
    """A name that is unique without regard to case, and kept as written."""

    __slots__ = ()

    @classmethod
    def _rule(cls, text: str) -> str:
        if not _USERNAME.fullmatch(text):
            raise ValueError("must be 1 to 30 of the characters A-Z a-z 0-9 _")
        return text


class Email(Value):
    """An address that is unique without regard to case, and never shown to others."""

    __slots__ = ()

    @classmethod
    def _rule(cls, text: str) -> str:
        address = unicodedata.normalize("NFC", text)
        local, _, domain = address.partition("@")
        if not local or not domain or "@" in domain or _has_space_or_control(address):
            raise ValueError("must be an address with one @ and no spaces")
        if len(address) > EMAIL_LENGTH:
            raise ValueError(f"must have at most {EMAIL_LENGTH} characters")
        return address

    @property
    def unique_form(self) -> str:
        """What two spellings of one address have in common."""
        return unicodedata.normalize("NFC", self.casefold())


class Text(Value):
    """Free text within its length, without control characters but newline."""

    __slots__ = ()

    least = 0
    most = 0

    @classmethod
    def _rule(cls, text: str) -> str:
        normal = unicodedata.normalize("NFC", text)
        if any(unicodedata.category(character) == "Cc" and character != "\n" for character in normal):
            raise ValueError("must have no control characters but newline")
        if not cls.least <= len(normal) <= cls.most:
            raise ValueError(f"must have {cls.least} to {cls.most} characters")
        return normal


class CheepText(Text):
    """What a cheep says, without the white space around it."""

    __slots__ = ()

    least = 1
    most = MESSAGE_LENGTH

    @classmethod
    def _rule(cls, text: str) -> str:
        return super()._rule(text.strip())


class Name(Text):
    """The name that an author goes by."""

    __slots__ = ()

    least = 1
    most = NAME_LENGTH


class Bio(Text):
    """What an author says of itself."""

    __slots__ = ()

    most = BIO_LENGTH


class Location(Text):
    """Where an author is, in its own words."""

    __slots__ = ()

    most = LOCATION_LENGTH


class Website(Value):
    """An http(s) URL."""

    __slots__ = ()

    @classmethod
    def _rule(cls, text: str) -> str:
        url = unicodedata.normalize("NFC", text)
        if len(url) > WEBSITE_LENGTH:
            raise ValueError(f"must have at most {WEBSITE_LENGTH} characters")
        if _has_space_or_control(url) or not _is_http_url(url):
            raise ValueError("must be an http or https URL")
        return url


class BirthDate(Value):
    """A day, as `YYYY-MM-DD`."""

    __slots__ = ()

    @classmethod
    def _rule(cls, text: str) -> str:
        if not _DATE.fullmatch(text):
            raise ValueError("must be a date, YYYY-MM-DD")
        try:
            date.fromisoformat(text)
        except ValueError:
            raise ValueError("must be a date that exists, YYYY-MM-DD") from None
        return text

    @classmethod
    def before(cls, today: date) -> Callable[[str], BirthDate]:
        """The rule that the day is in the past."""

        def rule(text: str) -> BirthDate:
            day = cls(text)
            if date.fromisoformat(day) >= today:
                raise ValueError("must be in the past")
            return day

        return rule


def _has_space_or_control(text: str) -> bool:
    return any(character.isspace() or unicodedata.category(character) == "Cc" for character in text)


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
