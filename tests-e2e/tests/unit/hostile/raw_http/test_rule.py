"""The rule of the fuzz."""

import pytest

from cheeper_e2e.hostile.raw_http.cases import Case, Ending
from cheeper_e2e.hostile.raw_http.connection import Received
from cheeper_e2e.hostile.raw_http.rule import may_be_a_stall, problem

CASE = Case(pieces=(b"GET / HTTP/1.1\r\n\r\n",), ending=Ending.FINISH)


def judged(content, *, ended=True, reset=False):
    return problem(CASE, Received(content=content, seconds=0, ended=ended, reset=reset))


def response(status):
    return b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status


@pytest.mark.parametrize("status", [200, 202, 400, 404, 405, 408, 413, 415, 417, 422, 431, 501, 505])
def test_a_response_may_accept_or_refuse(status):
    """A refusal of the request is as good as a success."""
    assert judged(response(status)) is None


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_no_response_blames_the_service(status):
    """A status that stands for a defect or an unavailable service is a problem, whichever response has it."""
    assert judged(response(200) + response(status)) == f"status {status}"


def test_a_close_is_as_good_as_a_response():
    """Without a response the connection only has to end."""
    assert judged(b"") is None


def test_a_connection_ends():
    """A connection that is open after the bound is a problem, even if a response has come."""
    assert "did not end" in judged(response(400), ended=False)


def test_only_a_reset_may_cut_a_response_off():
    """A reset discards what was not read yet; without one, half a response is a problem."""
    assert "malformed" in judged(response(400)[:-1])
    assert judged(response(400)[:-1], reset=True) is None


@pytest.mark.parametrize(
    ("content", "ended", "expected"),
    [
        (response(200) + response(503), True, True),
        (response(504), True, True),
        (b"", False, True),
        (response(500), True, False),
        (response(502), True, False),
        (b"x", True, False),
    ],
)
def test_only_a_stall_is_given_another_chance(content, ended, expected):
    """A connection that did not end, 503 and 504 may be the machine's; a defect or a malformed response never is."""
    received = Received(content=content, seconds=0, ended=ended)
    assert may_be_a_stall(received) is expected
