import time

from cheeper_contracts.kafka.envelope import Envelope
from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.testing import RecordedTracer
from write_api.bus.bus import now_in_microseconds
from write_api.bus.ids import new_id
from write_api.relay.numbering import NumberedMessage
from write_api.relay.traces import RelayTraces, relay_traces

SEND = "send cheeper.events"
TRACES = [f"{number}af7651916cd43dd8448eb211c80319c" for number in range(3)]


def message(traceparent, made_at=None):
    envelope = Envelope(
        message_id=new_id(),
        type="t.v1",
        source="/s",
        time=now_in_microseconds() if made_at is None else made_at,
        key=new_id(),
        correlation_id=new_id(),
        traceparent=traceparent,
    )
    return NumberedMessage(3, envelope, b"{}")


def sent(*messages):
    tracer, began = RecordedTracer(), time.time_ns() - 5_000_000
    RelayTraces(tracer, "cheeper.events").acknowledged(messages, began)
    return tracer, began


def test_each_message_has_a_span_in_its_own_trace():
    """Every trace shows how long its message took from the outbox to the broker, and the batch links to all."""
    causes = [f"00-{trace}-b7ad6b7169203331-01" for trace in TRACES]
    tracer, began = sent(*map(message, causes))
    each = [span for span in tracer.ended() if span.name == SEND]
    assert [f"{span.context.trace_id:032x}" for span in each] == TRACES
    assert all(span.start_time == began and span.end_time - began >= 5_000_000 for span in each)
    batch = tracer.named(f"{SEND} (batch)")
    assert [f"{link.context.trace_id:032x}" for link in batch.links] == TRACES
    assert batch.attributes[names.BATCH_COUNT] == 3


def test_messages_of_no_recorded_trace_and_history_get_none():
    """A log that is sent again from its beginning makes no spans."""
    recorded = f"00-{TRACES[0]}-b7ad6b7169203331-01"
    tracer, _ = sent(message(None), message(recorded[:-2] + "00"), message(recorded, made_at=1))
    assert tracer.ended() == []


def test_without_a_tracer_there_are_no_spans():
    """A relay gets None where traces are off."""
    assert relay_traces(None, "cheeper.events") is None
