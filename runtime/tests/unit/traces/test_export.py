import threading
import time

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs

from cheeper_runtime.traces.export import Export


class Collector(SpanExporter):
    """A collector whose export waits until it is let go, and then has the given result."""

    def __init__(self, result=SpanExportResult.SUCCESS):
        self.result = result
        self.go, self.entered = threading.Event(), threading.Event()
        self.spans = []
        self._changed = threading.Condition()

    def export(self, spans):
        self.entered.set()
        self.go.wait(30)
        with self._changed:
            self.spans += spans
            self._changed.notify_all()
        return self.result

    def has(self, number):
        """Wait until so many spans have arrived."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.spans) >= number, 30)

    def shutdown(self):
        pass


def test_spans_that_wait_are_exported_at_the_end():
    """The last spans of a process are in its traces."""
    collector = Collector()
    collector.go.set()
    export = Export("tests", collector)
    export.tracer.start_span("last").end()
    export.close()
    assert collector.has(1)
    assert [span.name for span in collector.spans] == ["last"]
    assert collector.spans[0].resource.attributes["service.name"] == "tests"


def test_a_full_queue_drops_spans_without_a_wait(monkeypatch):
    """While the collector is frozen, spans end at once, the queue keeps its length, and the end is bounded."""
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    collector = Collector()
    export = Export("tests", collector)
    for _ in range(4):
        export.tracer.start_span("first").end()
    assert collector.entered.wait(10)
    for number in range(1000):  # would never return if one of them waited
        export.tracer.start_span(f"later {number}").end()
    began = time.monotonic()
    export.close()
    assert time.monotonic() - began < 20  # it waits for 1 s, and the exporter for 30
    assert collector.spans == []
    collector.go.set()


def test_an_unavailable_collector_is_one_line_in_the_log(monkeypatch):
    """The first failure is logged, and that it is over."""
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    collector = Collector(SpanExportResult.FAILURE)
    collector.go.set()
    with capture_logs() as lines:
        export = Export("tests", collector)
        for _ in range(3):
            export.tracer.start_span("lost").end()
        assert collector.has(3)
        export.close()
        assert [line["event"] for line in lines] == ["traces are not exported"]


@pytest.mark.parametrize(
    ("variable", "value"), [("OTEL_SERVICE_NAME", "mine"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=mine")]
)
def test_the_environment_names_the_service(monkeypatch, variable, value):
    """The standard's variables win over the name that the process gives itself."""
    monkeypatch.setenv(variable, value)
    collector = Collector()
    collector.go.set()
    export = Export("tests", collector)
    export.tracer.start_span("one").end()
    export.close()
    assert collector.has(1)
    assert collector.spans[0].resource.attributes["service.name"] == "mine"
