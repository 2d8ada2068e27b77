"""The base of all queries, the result of a look-up, and the errors that a query raises.

ForeignCursorError       the cursor of a query is not one of its list
NotFoundError            the subject of the query does not exist
StoreUnavailableError    a store did not respond in time, or refused to serve
TooCostlyError           a store ended the query at the limit of its time
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar, cast

import msgspec

WAIT_SECONDS = 5.0
WAIT_SECONDS_MAX = 10.0

Data = TypeVar("Data")
Mapped = TypeVar("Mapped")


class Subject(msgspec.Struct, frozen=True):
    """The thing that a query is about: its name in error messages, and the query's field that identifies it."""

    name: str
    field: str

    @property
    def not_found(self) -> str:
        """The code of the response if it does not exist."""
        return f"{self.name.lower()}_not_found"


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A query. `after` is the id of a command whose effects the result must show, `timeout` the longest wait for them,
    in seconds. If `sender` is set, the result is of what that caller sent, and of nothing else. A query names its
    `subject` if it fails without it.
    """

    subject: ClassVar[Subject | None] = None

    after: str | None = None
    timeout: float = WAIT_SECONDS
    sender: str | None = None


class Result(msgspec.Struct, Generic[Data], frozen=True, kw_only=True):
    """The result of a look-up: `data`, or None if the subject does not exist. `settled` is False if the effects of
    `after` may be missing. `next_cursor` is set if the list has another page, `total` to the number of its entries and
    `unread` to that of the newest ones that its reader has not read, where these are known, `total_is_capped` if there
    is more than was counted, `costly` if the look-up took the expensive one of its ways.
    """

    data: Data | None
    settled: bool = True
    next_cursor: str | None = None
    total: int | None = None
    unread: int | None = None
    total_is_capped: bool = False
    costly: bool = False

    def map(self, convert: Callable[[Data], Mapped | None]) -> Result[Mapped]:
        """Return the result with its data converted, if there are any, and with all else as it is."""
        data = None if self.data is None else convert(self.data)
        return cast("Result[Mapped]", msgspec.structs.replace(self, data=data))


class ForeignCursorError(ValueError):
    """The cursor of a query for a list is of another list or another owner, or was never returned."""


class NotFoundError(LookupError):
    """The subject of a query does not exist. `code` is one of the response codes of the contracts, the text is one
    sentence for the client, and `stale` is True if the effects of `after` may be missing, so that the subject may exist
    later.
    """

    def __init__(self, query: Query, *, stale: bool) -> None:
        subject = query.subject
        if subject is None:
            raise TypeError(f"{type(query).__name__} has no subject, so its handler must return data")
        super().__init__(f'{subject.name} "{getattr(query, subject.field)}" does not exist')
        self.code = subject.not_found
        self.stale = stale


class TooCostlyError(Exception):
    """A store ended the query, as it ends every query that takes longer than its limit. The store is available."""

    limit = "time"


class StoreUnavailableError(ConnectionError):
    """A store did not respond in time, or refused to serve. `reason` is for the log, never for a client."""

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(f"{store}: {reason}")
        self.store = store
        self.reason = reason
