"""E-mail addresses: the form that is written to, and the one that finds the account."""

from __future__ import annotations

from typing import Final

import msgspec
from email_validator import EmailNotValidError, validate_email

from cheeper_contracts.text import without_case
from identity.domain.errors import InvalidError

MAX_ADDRESS: Final = 254


class Address(msgspec.Struct, frozen=True):
    """An address as it is written to, and the form without case that all its spellings share."""

    written: str
    unique: str


def address_of(text: str) -> Address:
    """Return the address. Raise InvalidError. No server is queried whether it exists."""
    if len(text) > MAX_ADDRESS:
        raise InvalidError("email", f"must have at most {MAX_ADDRESS} characters")
    try:
        found = validate_email(text, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError:
        raise InvalidError("email", "must be an e-mail address such as name@example.org") from None
    local = without_case(found.local_part, len(found.local_part))
    return Address(found.normalized, f"{local}@{(found.ascii_domain or found.domain).lower()}")
