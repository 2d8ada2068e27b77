"""The query bus: a literal table from a query to its one handler, and the wait of `after` around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from read_api.ops.metrics import Metrics, Outcome
from read_api.query_bus.query import Found, NotFoundError, Query, StoreAwayError
from read_api.query_bus.read_your_writes import Waiter


class Handler(Protocol):
    """Answers one kind of query from one view, with a `Waiter` for that view."""

    waiter: Waiter

    async def look(self, query: Any) -> Found[Any]:
        """What is there now. Raises StoreAwayError."""

    def missing(self, query: Any) -> NotFoundError:
        """What to raise where nothing was found."""


class _Wait:
    """A wait of `after`, and how it ended: with the client, where nobody says otherwise."""

    outcome: Outcome = "gone"


class QueryBus:
    """Asks the handler of a query, and again once what `after` names is in."""

    def __init__(self, handlers: Mapping[type[Query], Handler], metrics: Metrics) -> None:
        self._handlers = handlers
        self._metrics = metrics

    async def ask(self, query: Query, while_there: Callable[[Awaitable[None]], Awaitable[None]]) -> Found[Any]:
        """The answer. `while_there` gives a wait up when the client goes away.

        Raises NotFoundError, StoreAwayError, and what `while_there` raises.
        """
        handler = self._handlers[type(query)]
        try:
            found = await handler.look(query)
            if query.after is not None and not found.settled:
                with self._waiting() as wait:
                    await while_there(handler.waiter.wait(query.after, query.timeout))
                    found = await handler.look(query)
                    wait.outcome = "settled" if found.settled else "stale"
        except StoreAwayError as error:
            self._metrics.away[error.store] += 1
            raise
        if found.data is None:
            missing = handler.missing(query)
            missing.stale = not found.settled
            raise missing
        return found

    @contextmanager
    def _waiting(self) -> Iterator[_Wait]:
        wait = _Wait()
        self._metrics.waiting += 1
        try:
            yield wait
        except StoreAwayError:
            wait.outcome = "away"
            raise
        finally:
            self._metrics.waiting -= 1
            self._metrics.waits[wait.outcome] += 1

    def close(self) -> None:
        """Let all waiting requests have what is there now."""
        for handler in self._handlers.values():
            handler.waiter.close()
