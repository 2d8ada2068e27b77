"""The actors: each command and query declares who may send it, either as the name of the field that must be the
caller's own author id, or as one of these constants, which are no names of fields.
"""

from __future__ import annotations

from typing import Final

ANYONE: Final = "*anyone"
"""Everybody, with or without a token."""
SYSTEM: Final = "*system"
"""Process managers alone, of the commands: no client sends them."""
SENDER: Final = "*sender"
"""The caller who sent the command that the query is about."""
OPERATOR: Final = "*operator"
"""The callers whose token has the role of that name, of the queries: they see what every author wrote."""

SYSTEM_ACTOR: Final = "system"
"""The actor in the envelopes of process managers' commands. It is no UUID, so no token can have it."""
OPERATOR_ROLE: Final = "operator"
"""The word in a token's claim `roles`."""
