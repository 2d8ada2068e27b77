"""The responses on a connection, parsed as strictly as a client may."""

from __future__ import annotations

import h11


class MalformedError(Exception):
    """The bytes are no response of HTTP/1.1, or only the beginning of one. The text is the parser's."""


def statuses(content: bytes, *, head: bool) -> list[int]:
    """Return the status of each response of a connection that has ended, without those of 1xx.

    `head` is True if some request may have been HEAD. A response to HEAD has no body although it names a length, unless
    the request was refused before it was understood, and pipelined requests may have been dropped: the responses are
    well-formed if there is a way to read all of them. Raise MalformedError.
    """
    found = []
    while content:
        try:
            status, rest = _response(content, b"GET", ended=True)
        except MalformedError:
            if not head:
                raise
        else:
            if not head:
                found.append(status)
                content = rest
                continue
            try:
                return [*found, status, *statuses(rest, head=True)]
            except MalformedError:
                pass
        status, content = _response(content, b"HEAD", ended=True)
        found.append(status)
    return found


def complete_responses(content: bytes, *, head: bool) -> int:
    """Return how many responses are complete so far, at most one if some request may have been HEAD."""
    number = 0
    try:
        while content and not (head and number):
            _, content = _response(content, b"HEAD" if head else b"GET", ended=False)
            number += 1
    except MalformedError:
        pass
    return number


def _response(content: bytes, method: bytes, *, ended: bool) -> tuple[int, bytes]:
    """Return the status of the first response, and the bytes behind it. Raise MalformedError."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target=b"/", headers=[(b"Host", b"x")]))
    connection.send(h11.EndOfMessage())
    status = 0
    try:
        connection.receive_data(content)
        if ended:
            connection.receive_data(b"")
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                raise MalformedError("it is not complete")
            if isinstance(event, h11.Response):
                status = event.status_code
    except h11.RemoteProtocolError as error:
        raise MalformedError(str(error)) from None
    rest, _ = connection.trailing_data
    return status, rest
