"""Responses on a connection."""

import pytest

from cheeper_e2e.hostile.raw_http.responses import MalformedError, complete_responses, statuses

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
TO_THE_END = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
OF_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (OK, [200]),
        (OK + CHUNKED + OK, [200, 404, 200]),
        (CONTINUE + CHUNKED, [404]),
        (OK + TO_THE_END, [200, 400]),
    ],
)
def test_each_response_has_its_status(content, expected):
    """Responses that follow each other are parsed one by one, by length, by chunks or up to the end."""
    assert statuses(content, head=False) == expected


@pytest.mark.parametrize(
    "content", [b"x", OK[:-1], CHUNKED[:-3], OK + b"{}", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", OF_HEAD]
)
def test_anything_else_is_malformed(content):
    """Noise, a response that is cut off, and bytes behind a response are no responses."""
    with pytest.raises(MalformedError):
        statuses(content, head=False)


def test_a_response_to_head_has_no_body():
    """Its length is that of the GET. A refusal before the method is understood has a body all the same."""
    assert statuses(OF_HEAD + OK, head=True) == [200, 200]
    assert statuses(TO_THE_END, head=True) == [400]
    assert statuses(OK + OF_HEAD + CHUNKED + OF_HEAD + TO_THE_END, head=True) == [200, 200, 404, 200, 400]
    with pytest.raises(MalformedError):
        statuses(OK + OF_HEAD + b"x", head=True)


@pytest.mark.parametrize(
    ("content", "number"),
    [(b"", 0), (OK[:10], 0), (OK[:-1], 0), (OK, 1), (OK + CHUNKED[:-1], 1), (OK + CHUNKED, 2), (TO_THE_END, 0)],
)
def test_complete_responses_are_counted_while_they_come(content, number):
    """A response that may still grow is not counted."""
    assert complete_responses(content, head=False) == number


def test_one_response_is_enough_where_a_request_may_be_head():
    """Bytes behind the first response may be its body or the next response."""
    assert complete_responses(OK + OK, head=True) == 1
    assert complete_responses(OK[:10], head=True) == 0
