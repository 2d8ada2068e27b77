"""The query bus: a literal table from a query to its one handler, and the wait of `after` around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from read_api.queries.asking import Found, NotFoundError, Query
from read_api.queries.waiting import Waiter


class Handler(Protocol):
    """Answers one kind of query from one view, with a `Waiter` for that view."""

    waiter: Waiter

    async def look(self, query: Any) -> Found[Any]:
        """What is there now. Raises StoreAwayError."""

    def missing(self, query: Any) -> NotFoundError:
        """What to raise where nothing was found."""


class QueryBus:
    """Asks the handler of a query, and again once what `after` names is in."""

    def __init__(self, handlers: Mapping[type[Query], Handler]) -> None:
        self._handlers = handlers

    async def ask(self, query: Query, while_there: Callable[[Awaitable[None]], Awaitable[None]]) -> Found[Any]:
        """The answer. `while_there` gives a wait up when the client goes away.

        Raises NotFoundError, StoreAwayError, and what `while_there` raises.
        """
        handler = self._handlers[type(query)]
        found = await handler.look(query)
        if query.after is not None and not found.settled:
            await while_there(handler.waiter.wait(query.after, query.timeout))
            found = await handler.look(query)
        if found.data is None:
            missing = handler.missing(query)
            missing.stale = not found.settled
            raise missing
        return found

    def close(self) -> None:
        """Let all waiting requests have what is there now."""
        for handler in self._handlers.values():
            handler.waiter.close()
