"""The tracer of this process, which there is one of, as there is one log: set at start-up, and read by bootstraps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from cheeper_runtime.traces.tracer import HISTORY_SECONDS, Tracer

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""The variable that turns traces on: the URL of a collector that takes OTLP over HTTP."""

_tracer: Tracer | None = None


def tracer() -> Tracer | None:
    """Return the tracer of this process, or None if traces are off."""
    return _tracer


@contextmanager
def tracing(service: str, environ: Mapping[str, str], *, history: bool = False) -> Iterator[Tracer | None]:
    """Give this process a tracer for the duration of a block, if its environment names a collector.

    `service` is its name in the traces, unless OTEL_SERVICE_NAME is set. With `history`, messages of any age get spans.
    At the end, spans that wait are exported, for a bounded time.
    """
    global _tracer  # noqa: PLW0603 - as the module says
    if not environ.get(ENDPOINT):
        yield None
        return
    from cheeper_runtime.traces.export import Export  # noqa: PLC0415 - the SDK takes 0.1 s to import

    export = Export(service)
    _tracer = Tracer(export.tracer, export.sampler, None if history else HISTORY_SECONDS)
    try:
        yield _tracer
    finally:
        _tracer = None
        export.close()
