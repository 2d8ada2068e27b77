"""Which of MongoDB's errors pass: away, no primary, a write conflict. A refused write does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError
from pymongo.errors import BulkWriteError, PyMongoError, WriteError

from projector.stores import StoreAwayError, UnappliableError


@contextmanager
def passing_faults() -> Iterator[None]:
    """Raises StoreAwayError for a fault that passes, and UnappliableError for writes that the server refuses."""
    try:
        yield
    except (BSONError, OverflowError) as error:  # the driver itself refuses to encode the document
        raise UnappliableError(None, str(error)) from error
    except PyMongoError as error:
        refused = isinstance(error, BulkWriteError | WriteError)
        if refused and not error.has_error_label("TransientTransactionError"):
            raise UnappliableError(None, _first_line(error)) from error
        raise StoreAwayError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:300] or type(error).__name__
