"""The spans of messages that the relay has sent: one per message, and one per batch."""

from __future__ import annotations

from collections.abc import Sequence

from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.tracer import Tracer, Value
from write_api.relay.numbering import NumberedMessage


class RelayTraces:
    """The spans of one relay, which sends to the topic `destination`.

    A message carries the span of the command that left it in the outbox, not one of these, so that a message that is
    sent again is the same, to the byte.
    """

    def __init__(self, tracer: Tracer, destination: str) -> None:
        self._tracer = tracer
        self._shared: dict[str, Value] = {
            names.MESSAGING_SYSTEM: names.KAFKA,
            names.MESSAGING_DESTINATION: destination,
            names.MESSAGING_OPERATION: "send",
            names.MESSAGING_OPERATION_TYPE: "send",
        }

    def acknowledged(self, messages: Sequence[NumberedMessage], began: int) -> None:
        """Make the spans of a batch whose rows were read at `began` (nanoseconds since the epoch), until now."""
        traced = [one for one in messages if self._tracer.is_traced(one.envelope.traceparent, one.envelope.time)]
        causes = [one.envelope.traceparent for one in traced if one.envelope.traceparent]
        name = f"send {self._shared[names.MESSAGING_DESTINATION]}"
        count: dict[str, Value] = {**self._shared, names.BATCH_COUNT: len(messages)}
        batch = self._tracer.batch(f"{name} (batch)", "producer", causes, count, began=began)
        if batch is not None:
            batch.end()
        for message in traced:
            envelope = message.envelope
            attributes: dict[str, Value] = {
                **self._shared,
                names.MESSAGING_PARTITION: str(message.partition),
                names.MESSAGE_TYPE: envelope.type,
                names.MESSAGE_ID: envelope.message_id,
            }
            span = self._tracer.begin(name, "producer", envelope.traceparent, envelope.time, attributes, began=began)
            if span is not None:
                span.end()


def relay_traces(tracer: Tracer | None, destination: str) -> RelayTraces | None:
    """Return the spans of a relay, None if traces are off."""
    return None if tracer is None else RelayTraces(tracer, destination)
