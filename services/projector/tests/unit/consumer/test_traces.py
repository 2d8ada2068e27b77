import time

import msgspec
import pytest
from opentelemetry.trace import StatusCode

from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.kafka.envelope import from_headers, to_headers
from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.testing import RecordedTracer
from projector.consumer.traces import ProjectionTraces, projection_traces
from projector.stores.base import Item

TRACES = [f"{number}af7651916cd43dd8448eb211c80319c" for number in range(3)]
PROJECT = "project cheeper.author-followed.v1 redis"


@pytest.fixture
def item(story, helpers, author):
    """Make an item of a follow, or of another event, whose message carries a traceparent."""

    def made(traceparent, age=0.0, event=None):
        added = story.followed(author(), author()) if event is None else story.add(event)
        envelope = from_headers(added.message.headers())
        now = int((time.time() - age) * 1_000_000)
        headers = to_headers(msgspec.structs.replace(envelope, traceparent=traceparent, time=now))
        message = helpers.decode(story.add(added.event, headers=headers).message)
        return Item(message=message, writes=() if event else ("write",))

    return made


def sampled(trace):
    return f"00-{trace}-b7ad6b7169203331-01"


def traced(*items, parked=()):
    tracer, began = RecordedTracer(), time.time_ns() - 3_000_000
    ProjectionTraces(tracer, "redis", 2).applied(items, parked, began)
    return tracer


def test_each_message_has_a_span_in_the_trace_of_its_cause(item):
    """The projection of an event to a store is a child of the command's span, and the store's call links to all."""
    tracer = traced(*(item(sampled(trace)) for trace in TRACES))
    projected = [span for span in tracer.ended() if span.name == PROJECT]
    assert [f"{span.context.trace_id:032x}" for span in projected] == TRACES
    assert all(f"{span.parent.span_id:016x}" == "b7ad6b7169203331" for span in projected)
    assert {span.attributes[names.GENERATION] for span in projected} == {2}
    assert {span.attributes[names.DB_SYSTEM] for span in projected} == {"redis"}
    assert [f"{link.context.trace_id:032x}" for link in tracer.named("apply redis").links] == TRACES


def test_a_parked_message_is_an_error(item):
    """The span of a message that the store parked has failed."""
    one = item(sampled(TRACES[0]))
    span = traced(one, parked={one.offset}).named(PROJECT)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes[names.PARKED], span.attributes[names.ERROR_TYPE]) == (True, "parked")


def test_what_is_not_traced_gets_no_span(item, author):
    """A message of no recorded trace, of history, or from which nothing is written gets none."""
    outcome = CommandHandled(command_type="t", command_key=author())
    tracer = traced(
        item(None),
        item(sampled(TRACES[0])[:-2] + "00"),
        item(sampled(TRACES[0]), age=3700),
        item(sampled(TRACES[0]), event=outcome),
    )
    assert tracer.ended() == []


def test_without_a_tracer_there_are_no_spans():
    """A consumer gets None where traces are off."""
    assert projection_traces(None, "redis", 1) is None
