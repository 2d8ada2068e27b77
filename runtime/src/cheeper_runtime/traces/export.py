"""The export of spans to a collector, by OTLP over HTTP, from a queue of bounded length in a thread of its own.

Nobody waits for it: a full queue drops spans, and a collector that is unavailable is a line in the log. The standard
OTEL_ variables configure it (docs/operations.md).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from threading import Thread
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from opentelemetry.trace import Tracer

FLUSH_SECONDS: Final = 1.0
"""The time for the spans that wait when a process ends: the rest of its ten seconds is for requests in flight."""
_SCOPE: Final = "cheeper"

log = structlog.get_logger()


class Export:
    """The SDK's parts of a process. `exporter` replaces that of OTLP."""

    def __init__(self, service: str, exporter: SpanExporter | None = None) -> None:
        # Its libraries would log each failed attempt, with addresses; `_Reporting` logs the first one.
        for name in ("opentelemetry", "urllib3"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        # A provider has the sampler that the environment names. The other one records whatever that chose.
        self.sampler: Sampler = TracerProvider(shutdown_on_exit=False).sampler
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=_resource(service), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_Reporting(exporter or OTLPSpanExporter())))
        self.tracer: Tracer = self._provider.get_tracer(_SCOPE)

    def close(self) -> None:
        """Export the spans that wait, for a second at most. The rest is lost."""
        closing = Thread(target=self._provider.shutdown, name="traces-shutdown", daemon=True)
        closing.start()
        closing.join(FLUSH_SECONDS)


class _Reporting(SpanExporter):
    """Logs once that spans are not exported, and once that they are again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._failed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch."""
        result = self._exporter.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._failed:
            log.warning("traces are not exported", reason="the collector is unavailable, or refuses them")
        elif self._failed and not failed:
            log.info("traces are exported again")
        self._failed = failed
        return result

    def shutdown(self) -> None:
        """Stop exporting."""
        self._exporter.shutdown()


def _resource(service: str) -> Resource:
    """Return the attributes of this process in its traces. The environment's name of the service wins over ours."""
    named = os.environ.get(OTEL_SERVICE_NAME) or f"{SERVICE_NAME}=" in os.environ.get(OTEL_RESOURCE_ATTRIBUTES, "")
    return Resource.create({} if named else {SERVICE_NAME: service})
