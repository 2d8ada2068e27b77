"""A list's cursor: the entry that the page before ended with, as base64url.

It is a value, not a count, so it stays right while others write.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

CURSOR_PATTERN: Final = "^[A-Za-z0-9_-]{32}$"
"""24 bytes are 32 characters without padding, and any 32 characters are 24 bytes."""


def encode_cursor(entry: bytes) -> str:
    """The cursor of the page after an entry."""
    return urlsafe_b64encode(entry).decode()


def decode_cursor(cursor: str) -> bytes:
    """The entry of a cursor that has CURSOR_PATTERN."""
    return urlsafe_b64decode(cursor)
