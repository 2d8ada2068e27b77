"""The setting of the issuers whose tokens are accepted: a JSON list of objects.

    [{"issuer": "https://id.example.org", "audience": "cheeper", "jwks": "https://id.example.org/jwks.json",
      "author_claim": "sub"}]

`jwks` is an http(s) URL or the path of a file. `author_claim` is the claim that has the caller's id.
"""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

from cheeper_runtime.settings import Parser

_EXPECTED: Final = 'must be a JSON list such as [{"issuer": "https://…", "audience": "…", "jwks": "https://…"}]'


class Issuer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An issuer: the values that `iss` and `aud` must have, the place of its keys, and the claim of the caller's id."""

    issuer: str
    audience: str
    jwks: str
    author_claim: str = "sub"

    @property
    def jwks_is_remote(self) -> bool:
        """Return True if the keys are at a URL, and not in a file."""
        return urlsplit(self.jwks).scheme in {"http", "https"}


def _parse(text: str) -> tuple[Issuer, ...]:
    try:
        found = msgspec.json.decode(text, type=tuple[Issuer, ...])
    except msgspec.DecodeError:
        raise ValueError(_EXPECTED) from None
    if not all(each.issuer and each.audience and each.jwks and each.author_claim for each in found):
        raise ValueError(f"{_EXPECTED}, without an empty text")
    if len({each.issuer for each in found}) < len(found):
        raise ValueError("names one issuer twice")
    return found


Issuers = Annotated[tuple[Issuer, ...], Parser(_parse)]
