"""The sorting of database errors, with errors as SQLAlchemy raises them."""

from contextlib import asynccontextmanager

import psycopg.errors
import pytest
from sqlalchemy import exc

from write_api.bus.errors import ContentionError, MessageIdTakenError, UnavailableError
from write_api.db.faults import transient_faults
from write_api.db.unit_of_work import PostgresTransactions


def wrapped(error):
    """Return a driver's error as SQLAlchemy wraps it."""
    return exc.DBAPIError.instance("SELECT 1", {}, error, psycopg.Error)


LOST = [
    wrapped(psycopg.errors.DeadlockDetected()),
    wrapped(psycopg.errors.SerializationFailure()),
    wrapped(psycopg.errors.LockNotAvailable()),
    exc.TimeoutError("the pool is exhausted"),
]
UNAVAILABLE = [
    wrapped(psycopg.errors.DiskFull()),
    wrapped(psycopg.errors.AdminShutdown()),
    wrapped(psycopg.errors.ReadOnlySqlTransaction()),
    wrapped(psycopg.errors.InsufficientPrivilege()),
    wrapped(psycopg.OperationalError("connection refused")),
    OSError("unreachable"),
]
DEFECTS = [
    wrapped(psycopg.errors.UndefinedColumn()),
    wrapped(psycopg.errors.ProgramLimitExceeded()),
    ValueError("no database error"),
]


class Engine:
    """A pool whose transactions fail with an error, or succeed if it is None."""

    def __init__(self, error):
        self.error = error

    @asynccontextmanager
    async def begin(self):
        if self.error is not None:
            raise self.error
        yield self

    async def execute(self, *_arguments):
        return None


def raised(error):
    with pytest.raises(Exception) as caught, transient_faults():  # noqa: PT011 - any of the three kinds
        raise error
    return caught.value


@pytest.mark.parametrize("error", LOST, ids=repr)
def test_a_transaction_that_lost_against_others_is_contention(error):
    """Its outcome is unknown as that of any unavailable server, and the server is well."""
    assert type(raised(error)) is ContentionError


@pytest.mark.parametrize("error", UNAVAILABLE, ids=repr)
def test_a_server_that_refuses_is_unavailable(error):
    """Such an error is a fault of the server and no contention."""
    assert type(raised(error)) is UnavailableError


@pytest.mark.parametrize("error", DEFECTS, ids=repr)
def test_any_other_error_is_a_defect(error):
    """It is raised as it is."""
    assert raised(error) is error


@pytest.mark.parametrize(
    ("error", "recorded"),
    [*((each, False) for each in [*LOST, MessageIdTakenError("taken")]), *((each, True) for each in UNAVAILABLE)],
    ids=repr,
)
async def test_only_a_fault_of_the_server_is_a_recent_failure(error, recorded):
    """Callers can cause contention, and must not be able to make the service unready by it."""
    transactions = PostgresTransactions(Engine(error))
    with pytest.raises(UnavailableError):
        async with transactions.begin({"key"}):
            pass
    assert (transactions.failure.reason() is not None) == recorded
