"""The users of the stores of views: which role writes the views, and which only reads them.

Each store has these users by its own means. A user's name ends with its role and begins as the installation's names do,
so that several installations on one server have users of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cheeper_runtime.servers.files import folder_of_passwords

WRITES: Final[Mapping[str, bool]] = {"projector": True, "read-api": False, "audit": False}
"""By role, whether it writes views. What the audit writes, repairs and comparisons, it writes as the projector."""

ADMIN: Final = "admin"
LIMITS: Final = "limits"
"""The user of the server of what callers have used, and the word for that server."""

EXPORTER: Final = "exporter"
"""The user of what turns the figures of a server into metrics, which sees figures alone."""

PASSWORDS: Final = (ADMIN, LIMITS, EXPORTER, *WRITES)
"""The files of a folder of passwords."""


def passwords_folder(text: str) -> Path:
    """Return the path of a folder with a password for each user. Raise ValueError if one is missing."""
    return folder_of_passwords(text, PASSWORDS)


def user_of(role: str, installation: str) -> str:
    """Return the name of the role's user."""
    return f"{installation}.{role}"
