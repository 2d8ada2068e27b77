"""The spans of messages that a store has applied: one per message and store, and one per partition of a call."""

from __future__ import annotations

from collections.abc import Container, Sequence

from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.tracer import Tracer, Value, failed
from projector.stores.base import Item

_PARKED = "parked"


class ProjectionTraces:
    """The spans of one store and generation. A message from which nothing is written gets none."""

    def __init__(self, tracer: Tracer, store: str, generation: int) -> None:
        self._tracer = tracer
        self._store = store
        self._shared: dict[str, Value] = {
            names.DB_SYSTEM: names.DB_SYSTEMS.get(store, store),
            names.GENERATION: generation,
        }

    def applied(self, items: Sequence[Item], parked: Container[int], began: int) -> None:
        """Make the spans of messages that the store has applied or parked, from `began` (nanoseconds since the epoch)
        until now. `parked` has the offsets of those that it parked.
        """
        traced = [item for item in items if self._is_traced(item)]
        causes = [item.message.envelope.traceparent or "" for item in traced if item.message.envelope]
        count: dict[str, Value] = {**self._shared, names.BATCH_COUNT: len(items)}
        batch = self._tracer.batch(f"apply {self._store}", "client", causes, count, began=began)
        if batch is not None:
            batch.end()
        for item in traced:
            self._projected(item, began, parked=item.offset in parked)

    def _is_traced(self, item: Item) -> bool:
        envelope = item.message.envelope
        if envelope is None or not (item.writes or item.poison):
            return False
        return self._tracer.is_traced(envelope.traceparent, envelope.time)

    def _projected(self, item: Item, began: int, *, parked: bool) -> None:
        message, envelope = item.message, item.message.envelope
        if envelope is None:
            return
        attributes: dict[str, Value] = {
            **self._shared,
            names.MESSAGING_SYSTEM: names.KAFKA,
            names.MESSAGING_OPERATION: "process",
            names.MESSAGING_OPERATION_TYPE: "process",
            names.MESSAGING_PARTITION: str(message.partition),
            names.MESSAGING_OFFSET: message.offset,
            names.MESSAGE_TYPE: envelope.type,
            names.MESSAGE_ID: envelope.message_id,
            names.CORRELATION_ID: envelope.correlation_id,
        }
        if message.topic is not None:
            attributes[names.MESSAGING_DESTINATION] = message.topic
        name = f"project {envelope.type} {self._store}"
        span = self._tracer.begin(name, "consumer", envelope.traceparent, envelope.time, attributes, began=began)
        if span is None:
            return
        if parked:
            span.set_attribute(names.PARKED, True)
            failed(span, _PARKED)
        span.end()


def projection_traces(tracer: Tracer | None, store: str, generation: int) -> ProjectionTraces | None:
    """Return the spans of a store and generation, None if traces are off."""
    return None if tracer is None else ProjectionTraces(tracer, store, generation)
