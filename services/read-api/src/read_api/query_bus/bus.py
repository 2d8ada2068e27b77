"""The query bus: a literal table from each query to its one handler, with its limit of concurrent work, and the wait
of `after` around it.

A look-up has a place under the limit of its handler. A query that waits has none, and no connection either: only the
number of waits is limited. After the wait it looks up once more, under the same limit as before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from cheeper_runtime.concurrency.limit import ConcurrencyLimit, OverloadedError
from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.tracer import Tracer
from read_api.ops.metrics import Metrics, WaitOutcome
from read_api.query_bus.query import NotFoundError, Query, Result, StoreUnavailableError
from read_api.query_bus.read_your_writes import Waiter

WhileConnected = Callable[[Awaitable[Any]], Awaitable[Any]]


class Handler(msgspec.Struct, frozen=True):
    """The look-up of one kind of query, the waiter of the views that it reads, and the limit of such look-ups.

    `find` returns the current data. It raises StoreUnavailableError. If `abandon` is set, it is cancelled once the
    client disconnects; a look-up that is short is not worth watching the client.
    """

    find: Callable[[Any], Awaitable[Result[Any]]]
    waiter: Waiter
    limit: ConcurrencyLimit
    abandon: bool = False


class _Wait:
    """A wait of `after`. Its client has disconnected unless another outcome is set."""

    outcome: WaitOutcome = "disconnected"


class QueryBus:
    """Runs the handler of a query, and once more after the wait for the effects of `after`. `waits` limits the number
    of waits. `tracer` makes spans of look-ups and waits, each with its time in the queue, unless it is None.
    """

    def __init__(
        self,
        handlers: Mapping[type[Query], Handler],
        metrics: Metrics,
        waits: ConcurrencyLimit,
        tracer: Tracer | None = None,
    ) -> None:
        self._handlers = handlers
        self._metrics = metrics
        self._waits = waits
        self._tracer = tracer

    async def handle(self, query: Query, while_connected: WhileConnected) -> Result[Any]:
        """Return the result of a query, whose data are never None. `while_connected` awaits the wait, or a
        look-up, and may end it with an error of its own once the client has disconnected.

        Raise NotFoundError, StoreUnavailableError or OverloadedError.
        """
        handler = self._handlers[type(query)]
        try:
            result = await self._find(handler, query, while_connected)
            if query.after is not None and not result.settled:
                with self._measured_wait() as wait:
                    await self._await_effects(handler.waiter, query.after, query.timeout, while_connected)
                    result = await self._find(handler, query, while_connected)
                    wait.outcome = "settled" if result.settled else "stale"
        except StoreUnavailableError as error:
            self._metrics.store_unavailable[error.store] += 1
            raise
        if result.data is None:
            raise NotFoundError(query, stale=not result.settled)
        return result

    async def _find(self, handler: Handler, query: Query, while_connected: WhileConnected) -> Result[Any]:
        if self._tracer is None or not self._tracer.is_recording:
            return await self._look_up(handler, query, while_connected)
        name = type(query).__name__
        with self._tracer.span(f"query {name}", {names.QUERY: name}) as span:
            result = await self._look_up(handler, query, while_connected)
            if span is not None:
                span.set_attribute(names.SETTLED, result.settled)
            return result

    async def _look_up(self, handler: Handler, query: Query, while_connected: WhileConnected) -> Result[Any]:
        found = handler.limit.run(handler.find, query)
        result: Result[Any] = await (while_connected(found) if handler.abandon else found)
        return result

    async def _await_effects(self, waiter: Waiter, after: str, seconds: float, while_connected: WhileConnected) -> None:
        if self._tracer is None:
            await self._waits.run(self._wait, waiter, after, seconds, while_connected)
            return
        with self._tracer.span("wait", {names.MESSAGE_ID: after}):
            await self._waits.run(self._wait, waiter, after, seconds, while_connected)

    async def _wait(self, waiter: Waiter, after: str, seconds: float, while_connected: WhileConnected) -> None:
        await while_connected(waiter.wait(after, seconds))

    @contextmanager
    def _measured_wait(self) -> Iterator[_Wait]:
        wait = _Wait()
        self._metrics.waiting += 1
        try:
            yield wait
        except StoreUnavailableError:
            wait.outcome = "store_unavailable"
            raise
        except OverloadedError:
            wait.outcome = "refused"
            raise
        finally:
            self._metrics.waiting -= 1
            self._metrics.waits[wait.outcome] += 1

    def close(self) -> None:
        """End all waits, so that their requests get the current data."""
        for handler in self._handlers.values():
            handler.waiter.close()
