"""The spans of slices: one for each task that a slice served a part of, in the trace of the task's event."""

from __future__ import annotations

import time
from typing import Final

from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.tracer import Tracer, Value
from projector.stores.task_store import Slice

_MICROSECOND: Final = 1000  # in nanoseconds


class TaskTraces:
    """The spans of one store's tasks. A task carries a traceparent only if its event was traced."""

    def __init__(self, tracer: Tracer, store: str) -> None:
        self._tracer = tracer
        self._database = names.DB_SYSTEMS.get(store, store)

    def served(self, served: Slice, partition: int, began: int) -> None:
        """Make the spans of a slice, from `began` (nanoseconds since the epoch) until now."""
        attributes: dict[str, Value] = {
            names.DB_SYSTEM: self._database,
            names.MESSAGING_PARTITION: str(partition),
            names.SLICE_SIZE: served.served,
        }
        for task in served.tasks:
            now = time.time_ns() // _MICROSECOND
            span = self._tracer.begin("slice", "internal", task.traceparent, now, attributes, began=began)
            if span is not None:
                span.end()


def task_traces(tracer: Tracer | None, store: str) -> TaskTraces | None:
    """Return the spans of a store's tasks, None if traces are off."""
    return None if tracer is None else TaskTraces(tracer, store)
