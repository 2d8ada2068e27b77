"""The traces of a process: spans by OpenTelemetry, off unless OTEL_EXPORTER_OTLP_ENDPOINT is set.

    with tracing("write-api-worker", os.environ):
        CommandBus(..., tracer=tracer())

A part takes a `Tracer | None`, and None costs it one comparison. Nothing here imports OpenTelemetry before it is on.
"""

from cheeper_runtime.traces.process import ENDPOINT, tracer, tracing
from cheeper_runtime.traces.tracer import Tracer

__all__ = ["ENDPOINT", "Tracer", "tracer", "tracing"]
