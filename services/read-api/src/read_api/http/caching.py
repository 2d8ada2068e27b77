"""Caching: public responses may be stored and are revalidated, all others are not stored at all.

A response to a public query is revalidated before each use, so it is never older than the views: an edit shows at once,
and no client is shown an older generation again. Its ETag is weak, since the message id differs in each response.
What concerns one author or one command, errors, and responses to `after` (they say what was there at one moment) are
not stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from cheeper_contracts.http.responses import NO_SNIFF, NO_STORE

Header = tuple[bytes, bytes]


def _bytes(header: tuple[str, str]) -> Header:
    return header[0].lower().encode(), header[1].encode()


NOT_STORED: Final = (_bytes(NO_SNIFF), _bytes(NO_STORE))
"""The headers of a response that may not be stored."""
REVALIDATED: Final = (_bytes(NO_SNIFF), (b"cache-control", b"public, no-cache"))
"""The headers of a response that anybody may store, beside its ETag."""
_IF_NONE_MATCH: Final = b"if-none-match"
_WEAK: Final = b"W/"
_TAG_BYTES: Final = 16


def etag_of(data: bytes, next_cursor: str | None, total: int | None = None) -> bytes:
    """Return the ETag of a response with this data, as bytes of JSON, this cursor and this total."""
    digest = blake2b(data, digest_size=_TAG_BYTES)
    digest.update(b"" if next_cursor is None else next_cursor.encode())
    digest.update(b"" if total is None else b" %d" % total)
    return b'W/"%s"' % digest.hexdigest().encode()


def is_known(etag: bytes, headers: Sequence[Header]) -> bool:
    """Return True if a request's headers say that its client has the response with this ETag."""
    opaque = etag.removeprefix(_WEAK)
    return any(
        part.strip().removeprefix(_WEAK) in {opaque, b"*"}
        for name, value in headers
        if name == _IF_NONE_MATCH
        for part in value.split(b",")
    )
