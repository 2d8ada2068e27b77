"""The database errors that are transient faults rather than defects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from write_api.bus.errors import ContentionError, UnavailableError

TRANSIENT_STATES: Final = {
    "42P01": "undefined table: the servers may be up before `migrate` has run",
    "42501": "insufficient privilege: the server refuses us, whatever the command",
    "25006": "read-only transaction: this server became a standby",
    "25P03": "idle in transaction for too long: this process was paused",
    "25P04": "transaction for too long: the same",
    "XX001": "data corrupted: the server's storage, not the command",
    "XX002": "index corrupted: the same",
}
"""The SQLSTATEs of transient faults whose class is that of defects."""

PERMANENT_CLASS: Final = "54"
"""A limit of the program, such as a row too large for an index: it is permanent, though an operational error."""


CONTENTION: Final = ("40", "55P03")
"""Deadlocks and serialization failures, whose class this is, and locks that were not available."""


@contextmanager
def transient_faults() -> Iterator[None]:
    """Raise UnavailableError for a fault that ends by itself or by an operator: no connection, a deadlock, a
    serialization failure, a time-out, a full disk, a refused login or privilege, a missing schema, a read-only server.
    It is a ContentionError if the transaction only lost against others. Other errors are defects and are raised as they
    are.
    """
    try:
        yield
    except exc.DBAPIError as error:
        if (_sqlstate(error) or "").startswith(CONTENTION):
            raise ContentionError(f"Postgres: {_kind(error)}") from error
        if _is_transient(error):
            raise UnavailableError(f"Postgres: {_kind(error)}") from error
        raise
    except exc.TimeoutError as error:  # all connections of the pool are in use
        raise ContentionError(f"Postgres: {_kind(error)}") from error
    except OSError as error:
        raise UnavailableError(f"Postgres: {_kind(error)}") from error


def _is_transient(error: exc.DBAPIError) -> bool:
    state = _sqlstate(error) or ""
    if state.startswith(PERMANENT_CLASS):
        return False
    operational = isinstance(error, exc.OperationalError | exc.InterfaceError)
    return operational or error.connection_invalidated or state in TRANSIENT_STATES


def _kind(error: Exception) -> str:
    cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error
    return type(cause).__name__


def _sqlstate(error: exc.DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
