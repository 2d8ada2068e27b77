"""The little of HTTP/1.1 that a load needs: requests as bytes, parsed responses, and one connection that waits."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, Self

import msgspec

_HEAD_END: Final = b"\r\n\r\n"
_CHUNK: Final = 65_536
_SECONDS: Final = 30.0


class Answer(NamedTuple):
    """A response; `taken` is the number of its bytes."""

    status: int
    body: bytes
    taken: int


def request(method: str, path: str, body: object = None, *, headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return a request on a connection that stays."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{lines}"
    if body is None:
        return f"{head}\r\n".encode()
    content = msgspec.json.encode(body)
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def answer_in(data: bytes | bytearray) -> Answer | None:
    """Return the first response in the data, or None if it is not complete. Raise ValueError if it has no length."""
    end = data.find(_HEAD_END)
    if end < 0:
        return None
    head = bytes(data[:end]).lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise ValueError(f"an answer without Content-Length: {head[:200]!r}")
    length = int(head[at + 17 : head.find(b"\r", at + 2) if head.find(b"\r", at + 2) > 0 else end])
    begin = end + len(_HEAD_END)
    if len(data) < begin + length:
        return None
    return Answer(int(head[9:12]), bytes(data[begin : begin + length]), begin + length)


class Line:
    """A connection with one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, sent: bytes) -> Answer:
        """Send a request and wait for its response. Raise OSError if the connection breaks."""
        self._socket.sendall(sent)
        data = bytearray()
        while (answer := answer_in(data)) is None:
            more = self._socket.recv(_CHUNK)
            if not more:
                raise ConnectionError("the server closed the connection")
            data += more
        return answer
