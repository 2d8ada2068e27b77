"""The setting of the processes' addresses: a JSON object with a list of URLs for each role.

{"write-api": ["http://write-api:8080"], "worker": ["http://10.0.0.5:8080", "http://10.0.0.6:8080"]}
"""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

from cheeper_runtime.settings import Parser

_EXPECTED: Final = 'must be a JSON object such as {"worker": ["http://worker:8080"]}'


def _parse(text: str) -> dict[str, tuple[str, ...]]:
    try:
        found = msgspec.json.decode(text, type=dict[str, tuple[str, ...]])
        parts = [urlsplit(url) for urls in found.values() for url in urls]
        complete = all(each.scheme == "http" and each.hostname and each.port for each in parts)
    except (msgspec.DecodeError, ValueError):
        raise ValueError(_EXPECTED) from None
    if not complete:
        raise ValueError(f"{_EXPECTED}, with a port in each address")
    return found


Addresses = Annotated[dict[str, tuple[str, ...]], Parser(_parse)]
"""The addresses of the processes by role. A name that leads to several machines has a process on each of them."""
