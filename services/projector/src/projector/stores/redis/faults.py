"""Which of Redis's errors pass: away, loading, read-only, out of memory. The rest are defects of data or code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis import exceptions

from projector.generations import ForgottenError
from projector.stores import StoreAwayError

PASSING: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.ClusterError,
)
PASSING_WORDS: Final = ("OOM", "READONLY", "LOADING", "MASTERDOWN", "BUSY", "MISCONF", "NOREPLICAS", "TRYAGAIN")
FORGOTTEN: Final = "FORGOTTEN "


@contextmanager
def passing_faults() -> Iterator[None]:
    """Raises StoreAwayError for a fault that passes, ForgottenError where guard.lua says so; lets any other through."""
    try:
        yield
    except PASSING as error:
        raise StoreAwayError(_first_line(error)) from error
    except exceptions.ResponseError as error:
        if str(error).startswith(PASSING_WORDS):
            raise StoreAwayError(_first_line(error)) from error
        if str(error).startswith(FORGOTTEN):
            raise ForgottenError(str(error).removeprefix(FORGOTTEN)) from error
        raise


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__
