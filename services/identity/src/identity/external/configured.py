"""The setting of the external providers: a JSON list of objects.

    [{"name": "example", "title": "Example", "issuer": "https://id.example.org", "client_id": "cheeper",
      "client_secret_file": "/run/secrets/example"}]

`name` is in requests, `title` is what people read. `issuer` is compared with the issuer that the provider names, whose
metadata is at /.well-known/openid-configuration below it. Without a `client_secret_file`, PKCE alone protects codes.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

from cheeper_runtime.servers.files import password_file
from cheeper_runtime.settings import Parser

_EXPECTED: Final = 'must be a JSON list such as [{"name": "…", "title": "…", "issuer": "https://…", "client_id": "…"}]'

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ConfiguredProvider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider as it is configured."""

    name: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,32}$")]
    title: _Text
    issuer: _Text
    client_id: _Text
    client_secret_file: str | None = None

    @property
    def secret_file(self) -> Path | None:
        """The file with the secret of the client, if it has one."""
        return Path(self.client_secret_file) if self.client_secret_file else None


def is_protected(url: str, *, like: str) -> bool:
    """Return True if what is sent to this URL is sent over TLS, or stays on this machine as what is sent to the URL
    `like` does.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and like.startswith("http://") and _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _parse(text: str) -> tuple[ConfiguredProvider, ...]:
    try:
        found = msgspec.json.decode(text, type=tuple[ConfiguredProvider, ...])
    except msgspec.DecodeError:
        raise ValueError(f"{_EXPECTED}, whose names have a-z, 0-9 and - alone") from None
    if not all(is_protected(each.issuer, like=each.issuer) for each in found):
        raise ValueError("must have issuers that begin with https://; http:// is for this machine alone")
    if len({each.name for each in found}) < len(found) or len({each.issuer for each in found}) < len(found):
        raise ValueError("names one provider twice")
    for each in found:
        if each.client_secret_file is not None:
            try:
                password_file(each.client_secret_file)
            except ValueError as error:
                raise ValueError(f"has a client_secret_file, which {error}") from None
    return found


Providers = Annotated[tuple[ConfiguredProvider, ...], Parser(_parse)]
