"""The errors of MongoDB that pass: unreachable, no primary, a conflict, full, access denied. A bad document is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bson.errors import BSONError
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError, WriteError

from cheeper_runtime.servers.refusals import refusal
from projector.stores.base import ConflictError, StoreUnavailableError, UnappliableError

_WRITE_CONFLICT: Final = 112
PASSING_CODES: Final = frozenset(
    {
        13,  # Unauthorized
        18,  # AuthenticationFailed
        24,  # LockTimeout
        50,  # MaxTimeMSExpired
        91,  # ShutdownInProgress
        _WRITE_CONFLICT,
        189,  # PrimarySteppedDown
        202,  # NetworkInterfaceExceededTimeLimit
        251,  # NoSuchTransaction
        262,  # ExceededTimeLimit
        290,  # TransactionExceededLifetimeLimitSeconds
        8000,  # a hosted server's own, such as a quota that is used up
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11601,  # Interrupted, as by killOp
        11602,  # InterruptedDueToReplStateChange
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
        14031,  # OutOfDiskSpace
    }
)
"""Codes that do not concern the document, whatever exception the driver raises for them."""

REFUSING_CODES: Final = frozenset(
    {
        2,  # BadValue
        9,  # FailedToParse
        14,  # TypeMismatch
        17280,  # KeyTooLong, which older servers know
        10334,  # BSONObjectTooLarge
        17419,  # a document that an update would make too large
        17420,  # the same
    }
)
"""Codes of a document that can never be written, even if the whole command is refused with them."""


@contextmanager
def passing_faults() -> Iterator[None]:
    """Raise StoreUnavailableError for a fault that passes, and UnappliableError for writes that the server refuses."""
    try:
        yield
    except (BSONError, OverflowError) as error:  # the driver itself refuses to encode the document
        raise UnappliableError(None, str(error)) from error
    except PyMongoError as error:
        if _is_refusal(error):
            raise UnappliableError(None, _first_line(error)) from error
        passing = ConflictError if _WRITE_CONFLICT in _codes(error) else StoreUnavailableError
        raise passing(_reason(error)) from error


def _is_refusal(error: PyMongoError) -> bool:
    codes = _codes(error)
    if error.has_error_label("TransientTransactionError") or codes & PASSING_CODES:
        return False
    return isinstance(error, BulkWriteError | WriteError) or bool(codes & REFUSING_CODES)


def _codes(error: PyMongoError) -> set[int]:
    details: Any = getattr(error, "details", None) or {}
    if isinstance(error, BulkWriteError):
        return {one["code"] for kind in ("writeErrors", "writeConcernErrors") for one in details.get(kind, ())}
    return {error.code} if isinstance(error, OperationFailure) and error.code is not None else set()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:300] or type(error).__name__


def _reason(error: PyMongoError) -> str:
    """Return the reason without the driver's text, which names hosts and users: readiness shows it to anyone."""
    if reason := refusal(error):
        return f"does not answer: {reason}"
    if not isinstance(error, OperationFailure):
        return f"does not answer: {type(error).__name__}"
    name = (error.details or {}).get("codeName") or type(error).__name__
    return f"refuses for now: {name} ({error.code})"
