"""The spans of commands that are handled: one per command, with its handler's within, and one per transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from cheeper_contracts.kafka.envelope import Envelope
from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.tracer import Kind, Tracer, Value, failed, traceparent_of
from write_api.bus.outcome import Outcome, ReceivedCommand
from write_api.bus.unit_of_work import HandledCommand

if TYPE_CHECKING:
    from opentelemetry.trace import Span

CHANGED, UNCHANGED, REPEATED = "changed", "unchanged", "repeated"
_DATABASE: Final = names.DB_SYSTEMS["postgres"]


class CommandTraces:
    """The spans of one bus. `destination` is the topic that its commands come from, None if they come over HTTP."""

    def __init__(self, tracer: Tracer, destination: str | None) -> None:
        self._tracer = tracer
        self._kind: Kind = "internal" if destination is None else "consumer"
        self._shared: dict[str, Value] = {}
        if destination is not None:
            self._shared = {
                names.MESSAGING_SYSTEM: names.KAFKA,
                names.MESSAGING_DESTINATION: destination,
                names.MESSAGING_OPERATION: "process",
                names.MESSAGING_OPERATION_TYPE: "process",
            }

    @contextmanager
    def batch(self, commands: Sequence[ReceivedCommand]) -> Iterator[BatchSpans]:
        """Yield the spans of commands that are handled together. They end with the block."""
        spans = BatchSpans(commands, [self._begin(one.envelope) for one in commands])
        try:
            yield spans
        except BaseException as error:
            for span in spans.recorded:
                failed(span, type(error).__name__)
            raise
        finally:
            for span in spans.recorded:
                span.end()

    def handler(self, envelope: Envelope) -> AbstractContextManager[object]:
        """Return the span of a command's handler."""
        kind: Kind = "internal"
        attributes: dict[str, Value] = {names.MESSAGE_TYPE: envelope.type}
        return self._tracer.message(f"handle {envelope.type}", kind, envelope.traceparent, envelope.time, attributes)

    @contextmanager
    def transaction(self, commands: Sequence[ReceivedCommand]) -> Iterator[None]:
        """Make the span of the transaction of these commands, which links to each of them."""
        envelopes = [one.envelope for one in commands]
        causes = [one.traceparent for one in envelopes if one.traceparent and self._is_traced(one)]
        attributes: dict[str, Value] = {names.DB_SYSTEM: _DATABASE, names.BATCH_COUNT: len(commands)}
        span = self._tracer.batch("transaction", "client", causes, attributes)
        if span is None:
            yield
            return
        with self._tracer.within(span):
            yield

    def _begin(self, envelope: Envelope) -> Span | None:
        if not self._is_traced(envelope):
            return None
        own: dict[str, Value] = {
            names.MESSAGE_TYPE: envelope.type,
            names.MESSAGE_ID: envelope.message_id,
            names.CORRELATION_ID: envelope.correlation_id,
        }
        name, attributes = f"process {envelope.type}", {**self._shared, **own}
        return self._tracer.begin(name, self._kind, envelope.traceparent, envelope.time, attributes)

    def _is_traced(self, envelope: Envelope) -> bool:
        return self._tracer.is_traced(envelope.traceparent, envelope.time)


class BatchSpans:
    """The spans of commands that are handled together, None for a command without one. `commands` are the commands,
    each caused by its span: so are the events that it leaves.
    """

    def __init__(self, commands: Sequence[ReceivedCommand], spans: Sequence[Span | None]) -> None:
        self._spans = spans
        self.recorded = [span for span in spans if span is not None]
        self.commands = [_caused_by(span, one) for span, one in zip(spans, commands, strict=True)]

    def handled(self, results: Sequence[tuple[Outcome, HandledCommand | None]]) -> None:
        """Note the outcome of each command. A refusal is no error: the command was handled as it should be."""
        for span, (outcome, handled) in zip(self._spans, results, strict=True):
            if span is not None:
                outcome_of = (
                    REPEATED if handled is None else outcome.code or (CHANGED if outcome.changed else UNCHANGED)
                )
                span.set_attribute(names.OUTCOME, outcome_of)


def _caused_by(span: Span | None, received: ReceivedCommand) -> ReceivedCommand:
    if span is None:
        return received
    envelope = msgspec.structs.replace(received.envelope, traceparent=traceparent_of(span))
    return ReceivedCommand(command=received.command, envelope=envelope)


def command_traces(tracer: Tracer | None, destination: str | None) -> CommandTraces | None:
    """Return the spans of a bus, None if traces are off."""
    return None if tracer is None else CommandTraces(tracer, destination)
