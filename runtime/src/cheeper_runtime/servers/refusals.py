"""The reason why a server and a process refuse each other, in words that name no host and no user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_REASONS: Final = (
    (r"certificate has expired|certificate is not yet valid", "its certificate has expired or is not valid yet"),
    (
        r"does not match host name|hostname mismatch|ip address mismatch|is not valid for",
        "its certificate has another name than the one by which it is reached",
    ),
    (
        r"broker certificate could not be verified",  # librdkafka has one text for both
        "its certificate has another name, or is of no authority that is trusted here",
    ),
    (
        r"certificate verify failed|unable to get local issuer|self.signed certificate|signature failure",
        "its certificate is of no authority that is trusted here",
    ),
    (
        (
            r"password authentication failed|no password supplied|role \".*\" does not exist|wrongpass|noauth|"
            r"invalid username.password|authentication required|authentication ?failed|_authentication\b"
        ),
        "it refuses the user or the password",
    ),
)
"""Patterns of what the drivers and servers write, in the order in which they are tried: a wrong name is a failed
verification too.
"""


def refusal(error: BaseException) -> str | None:
    """Return what an operator has to correct, or None if the error is no refusal of a certificate or a login.

    What the driver raised may be the cause of the error, so its causes are read too.
    """
    text = "\n".join(f"{type(one).__name__}: {one}" for one in _with_causes(error))
    return next((reason for pattern, reason in _REASONS if re.search(pattern, text, re.IGNORECASE)), None)


def no_answer(error: BaseException) -> str:
    """Return why a server gave no answer: the refusal, or else the type of the error, since its text may name hosts."""
    return f"no answer: {refusal(error) or type(error).__name__}"


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
