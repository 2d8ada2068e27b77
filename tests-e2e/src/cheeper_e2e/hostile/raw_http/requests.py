"""Strategies for the bytes of one request: a good one, and faults in its line, headers, framing and body."""

from __future__ import annotations

import json
import re
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from cheeper_contracts.http.routes import NOTIFICATIONS_STREAM, ROUTES, TIMELINE_STREAM

_ID: Final = "01234567-89ab-4cde-8f01-23456789abcd"
_RARELY: Final = 3  # one of a few numbers
_LONG: Final = 40_000  # bytes: more than the gateway takes in a line or in all headers

METHODS: Final = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")
_STREAMS: Final = (TIMELINE_STREAM, NOTIFICATIONS_STREAM)
_PATHS: Final = tuple(re.sub("{[^}]+}", _ID, route.path).encode() for route in ROUTES if route not in _STREAMS)

# --- faults --------------------------------------------------------------------------------------------------------

_BAD_METHODS: Final = (b"", b"get", b"TRACE", b"CONNECT", b"G@T", b"P\x00ST", b"PRI", b"GET" * 2000)
_BAD_TARGETS: Final = (
    b"",
    b"*",
    b"/%",
    b"/author/%",
    b"/author/%zz",
    b"/author/%ff%fe",
    b"/author/\xff\xfe",
    b"/author/%00",
    b"/author/\x00",
    b"//author/" + _ID.encode(),
    b"/chapter7//author/" + _ID.encode(),
    b"/chapter7/../author/" + _ID.encode(),
    b"/./author/../health/ready",
    b"/author/" + b"a" * _LONG,
    b"/search?q=a;\xc3\xa9",
    b"/search?q=%",
    b"/search?q=" + b"%61" * 9000,
    b"/search?" + b"&".join(b"x%d=1" % number for number in range(500)),
    b"/search?q=a#fragment",
    b"http://other.example/author",
    b"http://[::1/author",
    b"author",
    b"/author extra",
    b"\\author",
)
_BAD_VERSIONS: Final = (
    b"",
    b"HTTP/0.9",
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"HTTP/1.1 ",
    b"HTTP/1.10",
    b"http/1.1",
    b"HTTPS/1.1",
)
_BAD_HEADERS: Final = (
    b"Host: other.example",
    b"Host:",
    b"Host: a b",
    b"X: folded\r\n value",
    b"X: folded\r\n\tTransfer-Encoding: chunked",
    b"X : space before the colon",
    b"no colon",
    b": no name",
    b"X: nul\x00",
    b"X: \xff\xfe",
    b"X: cr\ronly",
    b"X-Message-Id: not-an-id",
    b"Idempotency-Key: 00000000-0000-0000-0000-000000000000",
    b"Idempotency-Key: " + _ID.encode() + b"\r\nIdempotency-Key: " + _ID.encode(),
    b"X: " + b"a" * _LONG,
    b"\r\n".join(b"X-%d: 1" % number for number in range(300)),
    b"Expect: 100-continue",
    b"Expect: nothing",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    b"Connection: content-length",
    b"Connection: close",
    b"Content-Encoding: gzip",
    b"Content-Type: \xff/;;=",
    b"TE: trailers, deflate;q=0.5",
    b"Trailer: Content-Length",
)
_LENGTHS: Final = (
    b"0", b"1", b"-1", b"+5", b"5, 5", b"5,6", b"0x10", b"1e1", b" ", b"99999", b"9" * 30, b"5\x00", b"\xd9\xa3",
)  # fmt: skip
_ENCODINGS: Final = (
    b"chunked", b"Chunked", b"chunked, chunked", b"gzip, chunked", b"chunked, gzip", b"identity", b"xchunked",
    b"\x0bchunked", b"chunked\x00", b"", b"chunked\r\nTransfer-Encoding: identity", b"\r\n chunked",
)  # fmt: skip
_CHUNK_SIZES: Final = (
    b"zz", b"-1", b"", b" 5", b"5 ", b"0x5", b"+5", b"F" * 16, b"F" * 17, b"5;name=value",
    b"5;" + b"a" * 9000, b"5\x00",
)  # fmt: skip
_BODIES: Final = (
    json.dumps({"author_id": _ID, "message": "Hello"}).encode(),
    json.dumps({"from_author_id": _ID, "to_author_id": _ID}).encode(),
    json.dumps({"username": "", "email": "", "bio": "a" * 200}).encode(),
    b"",
    b"{",
    b"null",
    b'{"a":' * 2000,
    b'"\\ud800"',
    b"\xff\xfe{}",
    b"\x1f\x8b\x08",
    b"[" + b"1," * 40_000 + b"1]",
)


def _mostly(good: SearchStrategy[bytes], bad: tuple[bytes, ...]) -> SearchStrategy[bytes]:
    """Draw a good value nine times of ten, so that the faults behind it are reached."""
    return st.integers(0, 9).flatmap(lambda number: st.sampled_from(bad) if number == _RARELY else good)


@st.composite
def request(draw: DrawFn) -> bytes:
    """Draw a request; each of its parts may have a fault of its own."""
    method = draw(_mostly(st.sampled_from(METHODS), _BAD_METHODS))
    target = draw(_mostly(st.sampled_from(_PATHS), _BAD_TARGETS))
    version = draw(_mostly(st.just(b"HTTP/1.1"), _BAD_VERSIONS))
    lines = [b" ".join((method, target, version))]
    lines += draw(_mostly(st.just(b"Host: cheeper.example"), (b"",))).splitlines()
    lines += [header for header in draw(st.lists(_mostly(st.just(b""), _BAD_HEADERS), max_size=4)) if header]
    framing, body = draw(st.one_of(_with_length(), _chunked(), _smuggling(), st.just(([], b""))))
    if body and draw(st.integers(0, 4)) != _RARELY:
        framing = [b"Content-Type: application/json", *framing]
    end = draw(_mostly(st.just(b"\r\n"), (b"\n", b"\r")))
    head: bytes = end.join((*lines, *framing, b"", b""))
    return head + body


@st.composite
def _with_length(draw: DrawFn) -> tuple[list[bytes], bytes]:
    """Draw a body with a Content-Length that fits, or another, or two."""
    body = draw(st.sampled_from(_BODIES))
    length = draw(_mostly(st.just(str(len(body)).encode()), _LENGTHS))
    more = draw(st.lists(st.sampled_from(_LENGTHS), max_size=1)) if draw(st.integers(0, 7)) == _RARELY else []
    return [b"Content-Length: " + each for each in (length, *more)], body


@st.composite
def _chunked(draw: DrawFn) -> tuple[list[bytes], bytes]:
    """Draw a body in chunks, with a fault in a size, between chunks, or at the end."""
    encoding = draw(_mostly(st.just(b"chunked"), _ENCODINGS))
    body = draw(st.sampled_from(_BODIES))
    at = draw(st.integers(0, len(body)))
    parts = [part for part in (body[:at], body[at:]) if part]
    chunks = [draw(_mostly(st.just(b"%x" % len(part)), _CHUNK_SIZES)) + b"\r\n" + part for part in parts]
    between = draw(_mostly(st.just(b"\r\n"), (b"", b"\n", b"\r\n\r\n", b"x")))
    last = draw(_mostly(st.just(b"0\r\n\r\n"), (b"", b"0", b"0\r\n", b"0\r\nContent-Length: 5\r\n\r\n", b"00\r\n\r\n")))
    return [b"Transfer-Encoding: " + encoding], b"".join(chunk + between for chunk in chunks) + last


@st.composite
def _smuggling(draw: DrawFn) -> tuple[list[bytes], bytes]:
    """Draw a body whose end depends on which of two headers is believed, with a request after one of the ends."""
    inner = b"GET /author/%s HTTP/1.1\r\nHost: cheeper.example\r\n\r\n" % draw(
        st.sampled_from((_ID.encode(), b"smuggled"))
    )
    encoding = draw(st.sampled_from(_ENCODINGS))
    by_chunks = b"0\r\n\r\n" + inner
    shapes = (
        (len(by_chunks), by_chunks),  # the length covers both, the chunks end before
        (len(b"0\r\n\r\n"), by_chunks),
        (4, b"%x\r\n%s\r\n0\r\n\r\n" % (len(inner), inner)),  # the chunks cover both, the length ends within the size
        (0, inner),
    )
    length, body = draw(st.sampled_from(shapes))
    headers = [b"Content-Length: %d" % length, b"Transfer-Encoding: " + encoding]
    return draw(st.permutations(headers)), body
