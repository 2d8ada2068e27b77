"""The URLs of servers, checked when the settings are read: with TLS and its files, before anything is sent.

The drivers notice a wrong parameter late or not at all: one of them takes `tls=yes` for no TLS, and sends the password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from cheeper_runtime.servers.files import ca_file
from cheeper_runtime.settings import Parser

_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_VERIFYING: Final = ("verify-ca", "verify-full")
_OF_THE_SYSTEM: Final = "system"
"""The word by which libpq trusts the authorities of the operating system, instead of a file's name."""


def url(*schemes: str) -> Parser:
    """Return a parser of URLs with one of these schemes, for what is reached without parameters of its own."""

    def parse(text: str) -> str:
        _split(text, *schemes)
        return text

    return Parser(parse)


def redis_url(text: str) -> str:
    """Return the URL. Raise ValueError if it is not one of Redis, or has a file of authorities that is of no use."""
    parts, parameters = _split(text, "redis", "rediss", "unix")
    _check_authorities(parameters, "ssl_ca_certs", "rediss://", verified=parts.scheme == "rediss")
    return text


def mongo_url(text: str) -> str:
    """Return the URL. Raise ValueError if it is not one of MongoDB, or its parameters of TLS are of no use."""
    parts, given = _split(text, "mongodb", "mongodb+srv")
    parameters = {name.lower(): value for name, value in given.items()}  # MongoDB ignores the case of names
    default = "true" if parts.scheme == "mongodb+srv" else "false"
    tls = parameters.get("tls", parameters.get("ssl", default))
    if tls not in {"true", "false"}:
        raise ValueError("must have no other tls than tls=true or tls=false")
    _check_authorities(parameters, "tlsCAFile", "tls=true", verified=tls == "true")
    return text


def postgres_url(text: str) -> str:
    """Return the URL. Raise ValueError if it is not one of PostgreSQL, or its parameters of TLS are of no use."""
    _, parameters = _split(text, "postgresql", "postgres")
    mode = parameters.get("sslmode", "prefer")
    if mode not in _SSL_MODES:
        raise ValueError(f"must have an sslmode that is one of {', '.join(_SSL_MODES)}")
    if parameters.get("sslrootcert") != _OF_THE_SYSTEM:
        _check_authorities(parameters, "sslrootcert", "sslmode=verify-full", verified=mode in _VERIFYING)
    return text


RedisUrl = Annotated[str, Parser(redis_url)]
MongoUrl = Annotated[str, Parser(mongo_url)]
PostgresUrl = Annotated[str, Parser(postgres_url)]


def _split(text: str, *schemes: str) -> tuple[SplitResult, Mapping[str, str]]:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in schemes:
        raise ValueError(f"must be a URL that begins with {' or '.join(f'{each}://' for each in schemes)}")
    return parts, dict(parse_qsl(parts.query, keep_blank_values=True))


def _check_authorities(parameters: Mapping[str, str], name: str, condition: str, *, verified: bool) -> None:
    """Raise ValueError if the parameter of that name is no file of authorities, or no certificate is verified."""
    file = parameters.get(name, parameters.get(name.lower()))
    if file is None:
        return
    if not verified:
        raise ValueError(f"has {name}, which has no effect without {condition}")
    try:
        ca_file(file)
    except ValueError as error:
        raise ValueError(f"has {name}, which {error}") from None
