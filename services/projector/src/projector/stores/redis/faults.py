"""The errors of Redis that pass: unreachable, slow, loading, read-only, full, busy, access denied. All others are
defects of data or code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis import exceptions

from cheeper_runtime.servers.refusals import refusal
from projector.stores.base import StoreUnavailableError
from projector.stores.registry import ForgottenError

PASSING: Final = (
    exceptions.ConnectionError,  # a refused login (NOAUTH, WRONGPASS), too many clients and LOADING are such
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.NoPermissionError,
    exceptions.ClusterError,
    exceptions.TryAgainError,
    exceptions.WatchError,  # raised by redis-py for any of these, LOADING among them, while a key is watched
)
PASSING_CODES: Final = frozenset(
    {"OOM", "READONLY", "LOADING", "MASTERDOWN", "BUSY", "UNKILLABLE", "MISCONF", "NOREPLICAS", "NOAUTH"}
)
"""The first words of the server's replies. redis-py has classes for some of them and drops the word."""

_KILLED: Final = "Script killed by user"
_IN_PIPELINE: Final = "caused error: "  # redis-py puts this before the reply to a command of a pipeline
FORGOTTEN: Final = "FORGOTTEN "


@contextmanager
def passing_faults() -> Iterator[None]:
    """Raise StoreUnavailableError for a fault that passes and ForgottenError where guard.lua reports it."""
    try:
        yield
    except PASSING as error:
        raise StoreUnavailableError(_reason(error)) from error
    except exceptions.ResponseError as error:
        if _code(error) in PASSING_CODES or _KILLED in str(error):
            raise StoreUnavailableError(_reason(error)) from error
        if str(error).startswith(FORGOTTEN):
            raise ForgottenError(str(error).removeprefix(FORGOTTEN)) from error
        raise


def _code(error: Exception) -> str:
    return str(error).rpartition(_IN_PIPELINE)[2].partition(" ")[0]


def _reason(error: Exception) -> str:
    """Return the reason without the server's text, which may name a host or a user: readiness shows it to anyone."""
    code = getattr(error, "status_code", None) or _code(error)
    if reason := refusal(error):
        return f"does not answer: {reason}"
    if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError):
        return f"does not answer: {type(error).__name__}"
    return f"refuses for now: {code if code.isupper() else type(error).__name__}"
