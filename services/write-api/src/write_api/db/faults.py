"""Which of the database's errors say "not now" rather than "wrong"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from write_api.commands.errors import UnavailableError

PASSING_STATES: Final = {
    "42P01": "undefined table: the servers may be up before `migrate` has run",
    "25006": "read-only transaction: this server became a standby",
    "25P03": "idle in transaction for too long: this process was held up",
}
"""SQLSTATEs that pass, though their class is that of defects."""


@contextmanager
def transient_faults() -> Iterator[None]:
    """Raise UnavailableError for what goes away by itself: no connection, a deadlock, a serialization failure, a
    time-out, a schema that is still to come, a server that only reads. Other errors are defects and go on as they are.
    """
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, OSError) as error:
        raise UnavailableError(f"Postgres: {_kind(error)}") from error
    except exc.DBAPIError as error:
        if error.connection_invalidated or _sqlstate(error) in PASSING_STATES:
            raise UnavailableError(f"Postgres: {_kind(error)}") from error
        raise


def _kind(error: Exception) -> str:
    cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error
    return type(cause).__name__


def _sqlstate(error: exc.DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
