"""The rule of the fuzz: a connection ends, in well-formed responses or a close, and none blames the service."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from cheeper_e2e.hostile.raw_http.cases import Case
from cheeper_e2e.hostile.raw_http.connection import Received
from cheeper_e2e.hostile.raw_http.responses import MalformedError, statuses

FORBIDDEN: Final = frozenset(
    {
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""The statuses that bytes of a client may never cause. (501 and 505 refuse an encoding or a version.)"""

_OF_A_STALL: Final = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


def may_be_a_stall(received: Received) -> bool:
    """Return True if a machine that stood still for seconds would explain a problem, so that the case must show it each
    time: a connection that did not end, 503 or 504.
    """
    try:
        return not received.ended or bool(_OF_A_STALL & set(statuses(received.content, head=True)))
    except MalformedError:
        return False


def problem(case: Case, received: Received) -> str | None:
    """Return a sentence if the rule is broken, or None."""
    if not received.ended:
        return f"the connection did not end, {len(received.content)} bytes received"
    try:
        found = statuses(received.content, head=case.has_head)
    except MalformedError as error:
        return None if received.reset else f"malformed response: {error}"
    return next((f"status {status}" for status in found if status in FORBIDDEN), None)
