"""The tracer: makes spans at the edges of a process, each a child of what caused it.

A message carries its cause as a traceparent. It gets a span if that trace is recorded and the message is no history: a
log that is read from its beginning, or sent again, makes no spans. Only a request begins a trace, and there its head is
sampled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import random
from typing import TYPE_CHECKING, Any, Final, Literal

from cheeper_runtime.traces.conventions import ERROR_TYPE
from cheeper_runtime.traces.sampling import share_of
from cheeper_runtime.traces.traceparent import is_sampled, is_traceparent

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.sampling import Sampler
    from opentelemetry.trace import Span
    from opentelemetry.trace import Tracer as SdkTracer

HISTORY_SECONDS: Final = 3600.0
"""A message that is older is history."""
_MICROSECONDS: Final = 1_000_000

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | int | bool
Attributes = Mapping[str, Value]


class Tracer:
    """Makes spans over a tracer of the SDK, which records each of them: `sampler` says before which. `history_seconds`
    is None where messages of any age get spans, as in a replay. `clock` returns seconds since the epoch.
    """

    def __init__(
        self,
        tracer: SdkTracer,
        sampler: Sampler,
        history_seconds: float | None = HISTORY_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        from opentelemetry import trace  # noqa: PLC0415 - a process without traces never imports it
        from opentelemetry.sdk.trace.sampling import ParentBased  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._tracer = tracer
        self._share = share_of(sampler)
        self._follows_caller = isinstance(sampler, ParentBased)
        self._history_seconds = history_seconds
        self._clock = clock
        self._api = trace
        self._propagator = TraceContextTextMapPropagator()

    # --- what is done now: spans that are current while their block runs --------------------------------------------

    def samples(self, traceparent: str | None) -> bool:
        """Return True if a request with this traceparent, or with none, is to be recorded.

        It is asked of each request, so it does without a span: most are not recorded where there are many.
        """
        if self._follows_caller and traceparent is not None and is_traceparent(traceparent):
            return is_sampled(traceparent)
        return random() < self._share  # noqa: S311 - it chooses what is recorded, and protects nothing

    @property
    def is_recording(self) -> bool:
        """Return True if the current span is recorded."""
        return self._api.get_current_span().is_recording()

    @contextmanager
    def request(self, name: str, traceparent: str | None, attributes: Attributes) -> Iterator[Span]:
        """Yield the span of a request that is to be recorded. It is a child of the caller's or begins a trace."""
        parent = self._context(traceparent) if traceparent is not None and is_traceparent(traceparent) else None
        kind = self._kind("server")
        span = self._tracer.start_span(name, context=parent or self._root(), kind=kind, attributes=attributes)
        with self.within(span):
            yield span

    @contextmanager
    def span(self, name: str, attributes: Attributes | None = None, kind: Kind = "internal") -> Iterator[Span | None]:
        """Yield a child of the current span, or None if that is not recorded."""
        if not self.is_recording:
            yield None
            return
        span = self._tracer.start_span(name, kind=self._kind(kind), attributes=attributes)
        with self.within(span):
            yield span

    @contextmanager
    def message(
        self, name: str, kind: Kind, cause: str | None, made_at: int, attributes: Attributes
    ) -> Iterator[Span | None]:
        """Yield the span of a message's handling, as `begin` returns it, and end it."""
        span = self.begin(name, kind, cause, made_at, attributes)
        if span is None:
            yield None
            return
        with self.within(span):
            yield span

    @contextmanager
    def within(self, span: Span) -> Iterator[None]:
        """Make a span current for the block, and end it, with the type of an error, never with its text."""
        with self._api.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield
            except BaseException as error:
                failed(span, type(error).__name__)
                raise

    # --- batches: spans of messages that are handled together --------------------------------------------------------

    def begin(  # noqa: PLR0913 - what a span of a message is made of
        self,
        name: str,
        kind: Kind,
        cause: str | None,
        made_at: int,
        attributes: Attributes,
        *,
        began: int | None = None,
    ) -> Span | None:
        """Return the span of a message, a child of its cause, that somebody ends. Return None if it gets none.

        `made_at` is the message's time in microseconds since the epoch, `began` that of the span's beginning in
        nanoseconds, now by default.
        """
        if cause is None or not self.is_traced(cause, made_at):
            return None
        return self._tracer.start_span(
            name, context=self._context(cause), kind=self._kind(kind), attributes=attributes, start_time=began
        )

    def batch(
        self,
        name: str,
        kind: Kind,
        causes: Sequence[str],
        attributes: Attributes,
        *,
        began: int | None = None,
    ) -> Span | None:
        """Return the span of a batch that somebody ends: it links to each of the causes, whose traces are recorded, and
        is a child of the first, so that the trace of a message that is alone in its batch is whole. Return None without
        causes.
        """
        if not causes:
            return None
        contexts = [self._context(cause) for cause in causes]
        links = [self._api.Link(self._api.get_current_span(each).get_span_context()) for each in contexts]
        return self._tracer.start_span(
            name, context=contexts[0], kind=self._kind(kind), attributes=attributes, links=links, start_time=began
        )

    def is_traced(self, cause: str | None, made_at: int) -> bool:
        """Return True if a message with this cause and time (microseconds since the epoch) gets spans."""
        if not is_sampled(cause):
            return False
        limit = self._history_seconds
        return limit is None or self._clock() - made_at / _MICROSECONDS < limit

    # --- the log ----------------------------------------------------------------------------------------------------

    def log_context(self, _logger: Any, _method: str, event: Any) -> Any:
        """Add the current span's ids to a line of the log, as a processor of structlog, unless the line has others."""
        span = self._api.get_current_span()
        if span is self._api.INVALID_SPAN:
            return event
        context = span.get_span_context()
        if context.trace_flags.sampled and "trace_id" not in event:
            event["trace_id"], event["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"
        return event

    # --- inside -----------------------------------------------------------------------------------------------------

    def _context(self, traceparent: str) -> Context:
        return self._propagator.extract({"traceparent": traceparent}, context=self._root())

    def _root(self) -> Context:
        return self._api.set_span_in_context(self._api.INVALID_SPAN)

    def _kind(self, kind: Kind) -> Any:
        return self._api.SpanKind[kind.upper()]


def failed(span: Span, error_type: str) -> None:
    """Mark a span as failed. `error_type` is the class of an exception, or another word of few."""
    from opentelemetry.trace import StatusCode  # noqa: PLC0415 - imported already, where there is a span

    span.set_attribute(ERROR_TYPE, error_type)
    span.set_status(StatusCode.ERROR)


def traceparent_of(span: Span) -> str:
    """Return the traceparent of messages that this span causes."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
