import pytest

from cheeper_bench.load.http_line import answer_in, request

WHOLE = b"HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\nx: y\r\n\r\nhello"


def test_a_response_is_returned_once_it_is_complete():
    """A response is complete with its last byte, however the bytes arrive, and the rest is left."""
    assert all(answer_in(WHOLE[:length]) is None for length in range(len(WHOLE)))
    answer = answer_in(WHOLE + b"HTTP/1.1 200")
    assert (answer.status, answer.body, answer.taken) == (202, b"hello", len(WHOLE))


def test_the_length_may_be_the_last_header():
    """The order and the spelling of headers make no difference."""
    assert answer_in(b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length:0\r\n\r\n").body == b""


def test_a_response_without_a_length_is_refused():
    """A load cannot measure a response whose end it does not know."""
    with pytest.raises(ValueError, match="Content-Length"):
        answer_in(b"HTTP/1.1 200 OK\r\n\r\n")


def test_a_request_with_a_body_says_how_long_it_is():
    """The length is of bytes, not of characters."""
    assert request("GET", "/a") == b"GET /a HTTP/1.1\r\nHost: bench\r\n\r\n"
    assert request("POST", "/a", {"m": "ä"}).endswith(b'Content-Length: 10\r\n\r\n{"m":"\xc3\xa4"}')
