import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import StatusCode

from cheeper_runtime.traces.conventions import ERROR_TYPE, MESSAGE_ID
from cheeper_runtime.traces.testing import RecordedTracer
from cheeper_runtime.traces.tracer import traceparent_of

NOW = 1_700_000_000
SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"


@pytest.fixture
def tracer():
    return RecordedTracer(clock=lambda: NOW)


def recorded(tracer, cause, age=0.0):
    span = tracer.begin("process it", "consumer", cause, int((NOW - age) * 1e6), {MESSAGE_ID: "m"})
    if span is not None:
        span.end()
    return span is not None


def test_a_request_is_a_child_of_its_caller(tracer):
    """The span of a request continues the caller's trace, and what it causes continues the span."""
    with tracer.request("POST /cheep", SAMPLED, {}) as span, tracer.span("inside"):
        caused = traceparent_of(span)
    assert tracer.tree() == {"POST /cheep": "remote", "inside": "POST /cheep"}
    assert caused[:35] == SAMPLED[:35]


@pytest.mark.parametrize("caller", [None, "rubbish", "00-1-2-01"])
def test_a_request_without_a_caller_begins_a_trace(tracer, caller):
    """A missing or malformed traceparent counts as none."""
    with tracer.request("GET /", caller, {}):
        pass
    assert tracer.tree() == {"GET /": None}


def test_requests_are_sampled_at_the_head_by_ratio():
    """A request without a caller is recorded by the ratio of the sampler."""
    tracer = RecordedTracer(ParentBased(TraceIdRatioBased(0.25)))
    kept = sum(tracer.samples(None) for _ in range(400))
    assert 50 < kept < 160  # 100 is expected, and the standard deviation is 9


@pytest.mark.parametrize("rubbish", ["rubbish", "00-1-2-01"])
def test_a_malformed_caller_does_not_choose(rubbish):
    """Text that is no traceparent counts as none: the sampler decides."""
    assert not RecordedTracer(ParentBased(ALWAYS_OFF)).samples(rubbish)
    assert RecordedTracer(ParentBased(ALWAYS_ON)).samples(rubbish)


@pytest.mark.parametrize("root", [ALWAYS_ON, ALWAYS_OFF])
def test_the_decision_of_a_head_is_followed(root):
    """A sampler by parent follows the caller's flag, whatever it would choose itself."""
    tracer = RecordedTracer(ParentBased(root))
    assert tracer.samples(SAMPLED)
    assert not tracer.samples(SAMPLED[:-2] + "00")


@pytest.mark.parametrize(("sampler", "sampled"), [(ALWAYS_ON, True), (ALWAYS_OFF, False)])
def test_another_sampler_decides_by_itself(sampler, sampled):
    """A sampler that is not by parent takes no notice of the caller's flag."""
    assert RecordedTracer(sampler).samples(SAMPLED[:-2] + "00") == RecordedTracer(sampler).samples(SAMPLED) == sampled


def test_outside_of_a_request_nothing_is_recorded(tracer):
    """A span within nothing is none, and begins no trace."""
    with tracer.span("inside") as inside:
        assert inside is None
    assert tracer.ended() == []


def test_a_message_is_a_child_of_its_cause(tracer):
    """A message with the traceparent of a recorded trace gets a span in that trace."""
    assert recorded(tracer, SAMPLED)
    span = tracer.named("process it")
    assert f"{span.parent.span_id:016x}" == SAMPLED[36:52]


@pytest.mark.parametrize("cause", [None, SAMPLED[:-2] + "00"])
def test_a_message_begins_no_trace(tracer, cause):
    """A message without a recorded trace gets no span, so that no span is without its request."""
    assert not recorded(tracer, cause)


def test_history_gets_no_spans(tracer):
    """A message that is an hour old is history, except where messages of any age get spans."""
    assert recorded(tracer, SAMPLED, age=3599)
    assert not recorded(tracer, SAMPLED, age=3600)
    assert recorded(RecordedTracer(history_seconds=None, clock=lambda: NOW), SAMPLED, age=10_000_000)


def test_a_batch_links_to_each_message(tracer):
    """The span of a batch has a link to each cause, and is in the trace of the first."""
    tracer.batch("send", "producer", [SAMPLED, OTHER], {}).end()
    span = tracer.named("send")
    assert f"{span.context.trace_id:032x}" == SAMPLED[3:35]
    assert [f"{link.context.trace_id:032x}" for link in span.links] == [SAMPLED[3:35], OTHER[3:35]]
    assert tracer.batch("send", "producer", [], {}) is None


def test_an_error_is_named_by_its_type_alone(tracer):
    """A span that an exception leaves has failed, and nothing of the exception's text."""
    with (
        pytest.raises(ValueError, match="secret"),
        tracer.request("GET /", None, {}),
        tracer.message("process", "consumer", SAMPLED, NOW * 1_000_000, {}),
    ):
        raise ValueError("secret")
    for span in tracer.ended():
        assert span.status.status_code is StatusCode.ERROR
        assert span.attributes[ERROR_TYPE] == "ValueError"
        assert "secret" not in span.to_json()


def test_lines_of_the_log_have_the_current_spans_ids(tracer):
    """A line has the ids of the recorded span within which it is written, unless it brings those of a message."""
    with tracer.request("GET /", SAMPLED, {}) as span:
        line = tracer.log_context(None, "info", {"event": "e"})
        assert line["trace_id"] == SAMPLED[3:35]
        assert line["span_id"] == f"{span.get_span_context().span_id:016x}"
        assert tracer.log_context(None, "info", {"trace_id": "t", "span_id": "s"})["trace_id"] == "t"
    assert tracer.log_context(None, "info", {"event": "e"}) == {"event": "e"}
