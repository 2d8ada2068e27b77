"""The span of an event from which commands follow."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.tracer import Tracer, Value, traceparent_of
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer.batch import Decode
from write_api.consumer.message import ConsumedMessage, DeadLetter


def traced_decode(decode: Decode, tracer: Tracer | None) -> Decode:
    """Return a decoder that makes a span of each message from which commands follow, and is the cause of these. It
    takes commands that carry the message's own traceparent. Return the decoder as it is if traces are off.

    With traces, a command that is made again for a redelivered event differs from the first one in its traceparent.
    """
    if tracer is None:
        return decode

    def traced(message: ConsumedMessage) -> Sequence[ReceivedCommand] | DeadLetter:
        began, content = time.time_ns(), decode(message)
        if isinstance(content, DeadLetter) or not content:
            return content
        envelope, type_ = content[0].envelope, message.header("ce_type")
        attributes: dict[str, Value] = {
            names.MESSAGING_SYSTEM: names.KAFKA,
            names.MESSAGING_DESTINATION: message.topic,
            names.MESSAGING_PARTITION: str(message.partition),
            names.MESSAGING_OFFSET: message.offset,
            names.MESSAGING_OPERATION: "process",
            names.MESSAGING_OPERATION_TYPE: "process",
            names.MESSAGE_TYPE: str(type_),
            names.MESSAGE_ID: str(envelope.reply_to),
        }
        name = f"process {type_}"
        span = tracer.begin(name, "consumer", envelope.traceparent, envelope.time, attributes, began=began)
        if span is None:
            return content
        span.end()
        carried = traceparent_of(span)
        return tuple(
            ReceivedCommand(command=one.command, envelope=msgspec.structs.replace(one.envelope, traceparent=carried))
            for one in content
        )

    return traced
