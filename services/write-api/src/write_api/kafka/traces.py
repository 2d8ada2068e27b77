"""The span of a command that is sent."""

from __future__ import annotations

import msgspec

from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Command
from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.tracer import Tracer, traceparent_of
from write_api.bus.dispatcher import Send


def traced_send(send: Send, tracer: Tracer | None, destination: str) -> Send:
    """Return a sender that makes a span of each command for the topic `destination`, until the broker has it. The span
    is the cause that the command carries. Return the sender as it is if traces are off.
    """
    if tracer is None:
        return send

    async def traced(command: Command, envelope: Envelope) -> None:
        if not tracer.is_traced(envelope.traceparent, envelope.time):
            await send(command, envelope)
            return
        attributes = {
            names.MESSAGING_SYSTEM: names.KAFKA,
            names.MESSAGING_DESTINATION: destination,
            names.MESSAGING_OPERATION: "send",
            names.MESSAGING_OPERATION_TYPE: "send",
            names.MESSAGE_TYPE: envelope.type,
            names.MESSAGE_ID: envelope.message_id,
        }
        cause, made_at = envelope.traceparent, envelope.time
        with tracer.message(f"send {destination}", "producer", cause, made_at, attributes) as span:
            carried = cause if span is None else traceparent_of(span)
            await send(command, msgspec.structs.replace(envelope, traceparent=carried))

    return traced
