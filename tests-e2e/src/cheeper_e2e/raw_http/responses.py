"""The responses on a connection, parsed as strictly as a client may."""

from __future__ import annotations

from collections.abc import Iterator

import h11


class MalformedError(Exception):
    """Bytes that are no response of HTTP/1.1, or the beginning of one. The text is the parser's."""


def statuses(content: bytes, *, head: bool) -> list[int]:
    """Return the status of each response of a connection that has ended, without those of 1xx.

    `head` is True if the first request was HEAD; its response may have a body all the same if the request was refused
    before it was understood. Raise MalformedError.
    """
    if head:
        try:
            return [status for status, _ in _responses(content, b"HEAD")]
        except MalformedError:
            pass
    return [status for status, _ in _responses(content, b"GET")]


def complete_responses(content: bytes, *, head: bool) -> int:
    """Return how many responses are complete so far."""
    number = 0
    try:
        for _, is_complete in _responses(content, b"HEAD" if head else b"GET", is_whole=False):
            number += is_complete
    except MalformedError:
        pass
    return number


def _responses(content: bytes, method: bytes, *, is_whole: bool = True) -> Iterator[tuple[int, bool]]:
    """Yield the status of each response and whether it is complete; `method` is that of the first request."""
    while content:
        connection = h11.Connection(h11.CLIENT)
        connection.send(h11.Request(method=method, target=b"/", headers=[(b"Host", b"x")]))
        connection.send(h11.EndOfMessage())
        method = b"GET"
        status = 0
        try:
            connection.receive_data(content)
            if is_whole:
                connection.receive_data(b"")
            while not isinstance(event := connection.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    yield status, False
                    return
                if isinstance(event, h11.Response):
                    status = event.status_code
        except h11.RemoteProtocolError as error:
            raise MalformedError(str(error)) from None
        yield status, True
        content, _ = connection.trailing_data
