"""A tracer for tests that keeps its spans in memory."""

from __future__ import annotations

import time
from collections.abc import Callable

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler

from cheeper_runtime.traces.conventions import ATTRIBUTES
from cheeper_runtime.traces.tracer import HISTORY_SECONDS, Tracer


class RecordedTracer(Tracer):
    """A tracer whose ended spans can be read."""

    def __init__(
        self,
        sampler: Sampler | None = None,
        history_seconds: float | None = HISTORY_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._memory = InMemorySpanExporter()
        provider = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._memory))
        super().__init__(provider.get_tracer("tests"), sampler or ParentBased(ALWAYS_ON), history_seconds, clock)

    def ended(self) -> list[ReadableSpan]:
        """Return the spans that have ended, in that order. Raise AssertionError if one has a forbidden attribute."""
        spans = list(self._memory.get_finished_spans())
        for span in spans:
            assert set(span.attributes or {}) <= ATTRIBUTES, span.attributes  # noqa: S101 - for tests alone
            assert not span.events, span.name  # noqa: S101 - an exception's text would be in one
        return spans

    def named(self, name: str) -> ReadableSpan:
        """Return the one span of that name."""
        (span,) = (span for span in self.ended() if span.name == name)
        return span

    def tree(self) -> dict[str, str | None]:
        """Return the name of each span's parent by the span's name; a parent elsewhere is `remote`."""
        names = {span.context.span_id: span.name for span in self.ended() if span.context}
        return {
            span.name: None if span.parent is None else names.get(span.parent.span_id, "remote")
            for span in self.ended()
        }
