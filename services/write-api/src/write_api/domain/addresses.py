"""E-mail addresses (RFC 5321, with the letters of all scripts as in RFC 6531) and the URLs of websites."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

import idna
from email_validator import EmailNotValidError, validate_email

from cheeper_contracts.text import normalized, without_case
from write_api.domain.texts import may_stand_in_a_link

_LABEL: Final = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\.?$){_LABEL}(\.{_LABEL})*\.?")
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


def normal_address(text: str) -> str:
    """Return an address in NFC with its domain in lower case and, if it is an IDN, in its own script.

    Raise ValueError. No server is asked whether the address exists. Addresses with a quoted local part or an IP address
    for a domain are valid in RFC 5321, and refused as nobody's.
    """
    try:
        found = validate_email(text, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError:
        raise ValueError("must be an e-mail address such as name@example.org") from None
    return found.normalized


def unique_address(address: str) -> str:
    """Return the form that all spellings of an address share, whatever was once accepted as one.

    The domain is without case and as DNS has it, so that an IDN and its punycode are one. The local part is without
    case too, each letter by itself: to fold ß to ss would make one address of two people's.
    """
    local, _, domain = address.rpartition("@")
    folded = without_case(local, len(local))
    return f"{normalized('NFC', folded, len(folded))}@{_of_dns(domain)}"


def is_website(url: str) -> bool:
    """Return True if this is an http(s) URL with a valid host, without a user's name or password."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is no number
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not may_stand_in_a_link(url):
        return False
    return _is_host(parts.hostname or "", in_brackets="[" in parts.netloc)


def _is_host(host: str, *, in_brackets: bool) -> bool:
    try:
        if in_brackets:
            return IPv6Address(host).scope_id is None
        if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):  # browsers read it as the last part of an IP address
            return bool(IPv4Address(host))
        # IDNA has the rules of registries: a name in ASCII may have an underscore, or more hyphens than they allow.
        return _HOST.fullmatch(host) is not None if host.isascii() else bool(idna.encode(host, uts46=True))
    except ValueError:
        return False


def _of_dns(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return normalized("NFC", domain.lower(), 3 * len(domain))
