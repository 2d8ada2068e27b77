"""Files that settings name. Each is read when the settings are, so that a wrong one is reported with its setting."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def password_of(file: Path) -> str:
    """Return the password in the file, without the line's end. Raise ValueError if there is none."""
    try:
        password = file.read_text().strip()
    except (OSError, ValueError):  # what is not text, or a path with a NUL
        password = ""
    if not password:
        raise ValueError("must be a file with a password that this process can read")
    return password


def password_file(text: str) -> Path:
    """Return the path of a file with a password. Raise ValueError if it has none."""
    password_of(Path(text))
    return Path(text)


def folder_of_passwords(text: str, names: Iterable[str]) -> Path:
    """Return the path of a folder with a file with a password for each name. Raise ValueError if one is missing."""
    folder = Path(text)
    if missing := [name for name in names if not _has_password(folder / name)]:
        raise ValueError(f"must be a folder with a file with a password for each user; missing: {', '.join(missing)}")
    return folder


def ca_file(text: str) -> Path:
    """Return the path of a file with the certificates of authorities. Raise ValueError if it has none."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=text)
    except (OSError, ValueError):
        raise ValueError("must be a file with certificates in PEM that this process can read") from None
    return Path(text)


def _has_password(file: Path) -> bool:
    with suppress(ValueError):
        return bool(password_of(file))
    return False
