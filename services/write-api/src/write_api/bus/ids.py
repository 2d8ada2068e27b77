"""The ids that this service makes: new ones, and those that derive from a message's id."""

from __future__ import annotations

from uuid_utils import uuid7

from cheeper_contracts.ids import made_for

__all__ = ["made_for", "new_id"]


def new_id() -> str:
    """Return a new UUID, version 7."""
    return str(uuid7())
