import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace as api
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cheeper_runtime.traces.traceparent import id_fields, ids, is_sampled, is_traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.integers(0, 255))
def test_flags_are_read_as_the_library_reads_them(trace, span, flags):
    """A traceparent is sampled here if and only if OpenTelemetry's own propagator finds it so."""
    text = f"00-{trace:032x}-{span:016x}-{flags:02x}"
    found = api.get_current_span(TraceContextTextMapPropagator().extract({"traceparent": text})).get_span_context()
    assert is_traceparent(text)
    assert is_sampled(text) == found.trace_flags.sampled
    assert ids(text) == ((f"{found.trace_id:032x}", f"{found.span_id:016x}") if is_sampled(text) else (None, None))


MALFORMED = ["", "1", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{SPAN}-1", f"{TRACE}\n1"]


@pytest.mark.parametrize("text", MALFORMED)
def test_other_text_is_no_traceparent(text):
    """A text of another form, with version ff or with an id of zeros is none."""
    assert not is_traceparent(text)
    assert not is_sampled(text)


def test_lines_of_traces_that_are_not_recorded_have_no_ids():
    """The ids are in the log only where a trace can be found by them."""
    assert id_fields(None) == id_fields(f"00-{TRACE}-{SPAN}-00") == {}
    assert id_fields(f"00-{TRACE}-{SPAN}-01") == {"trace_id": TRACE, "span_id": SPAN}
