"""Requests as bytes, for those that no HTTP client would send."""

from __future__ import annotations

import json
import socket
from typing import Any, Final

import httpx

HEAD: Final = b"POST /cheep HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED: Final = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_SECONDS: Final = 60
"""A time-out only bounds a hang."""


class RawResponse:
    """The response of a server on a connection: `status` is 0 if it closed the connection without a response."""

    def __init__(self, content: bytes) -> None:
        head, _, self.body = content.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0] else 0
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}

    def json(self) -> Any:
        """Return the body."""
        return json.loads(self.body)


def send(client: httpx.Client, *parts: bytes, half_close: bool = False) -> RawResponse:
    """Send bytes to a client's gateway, and return what it sends until it closes the connection."""
    with _connected(client) as connection:
        for part in parts:
            connection.sendall(part)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return RawResponse(_rest(connection))


def trickle(client: httpx.Client, head: bytes, piece: bytes, every: float) -> RawResponse:
    """Send a piece every few seconds until the server responds or closes the connection, a minute at most."""
    content = b""
    with _connected(client) as connection:
        connection.sendall(head)
        connection.settimeout(every)
        for _ in range(int(_SECONDS / every)):
            try:
                connection.sendall(piece)
                content = connection.recv(65536)
                break
            except TimeoutError:
                continue
            except OSError:
                break
        return RawResponse(content)


def _connected(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 80), _SECONDS)


def _rest(connection: socket.socket) -> bytes:
    content = b""
    try:
        while part := connection.recv(65536):
            content += part
    except ConnectionResetError:  # it closed without reading everything
        pass
    return content
