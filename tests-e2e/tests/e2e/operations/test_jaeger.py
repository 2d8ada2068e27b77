"""Jaeger keeps the traces with an error and the slow ones, and a share of the others."""

import time

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from cheeper_e2e.stack.traces.collector import PATH
from cheeper_e2e.stack.traces.jaeger import HOW_TO_GET_IT, Jaeger
from cheeper_local.waiting import until

pytestmark = [pytest.mark.local, pytest.mark.extended]

MILLISECONDS = 1_000_000  # nanoseconds
FAST, FAILED, SLOW = "1" * 32, "2" * 32, "3" * 32


@pytest.fixture
def jaeger(tmp_path):
    """A Jaeger that keeps nothing but what it must."""
    if not Jaeger.is_available():
        pytest.skip(HOW_TO_GET_IT)
    server = Jaeger(tmp_path, {"DECISION_WAIT": "1s", "TRACES_KEPT_PERCENT": "0"})
    server.start()
    yield server
    server.stop()


def send(jaeger, trace_id, service, *, began, milliseconds, failed=False):
    """Export a span of a trace, by a process of its own."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    span = resource.scope_spans.add().spans.add(name=service)
    span.trace_id, span.span_id = bytes.fromhex(trace_id), bytes([len(service)]) * 8
    span.start_time_unix_nano, span.end_time_unix_nano = began, began + milliseconds * MILLISECONDS
    if failed:
        span.status.code = Status.STATUS_CODE_ERROR
    headers = {"Content-Type": "application/x-protobuf"}
    httpx.post(f"{jaeger.otlp_url}{PATH}", content=request.SerializeToString(), headers=headers).raise_for_status()


def test_errors_and_slow_traces_are_kept_whole(jaeger):
    """A trace with one span that failed is kept with all of its spans, as is one that took over a second; of the others
    none is, where the share of them is 0.
    """
    began = time.time_ns()
    for trace_id in (FAST, FAILED):
        send(jaeger, trace_id, "gateway", began=began, milliseconds=300)
        send(jaeger, trace_id, "worker", began=began, milliseconds=200, failed=trace_id == FAILED)
    # Neither span is slow, but what the request led to was late.
    send(jaeger, SLOW, "gateway", began=began, milliseconds=300)
    send(jaeger, SLOW, "worker", began=began + 1000 * MILLISECONDS, milliseconds=200)
    wanted = {(trace_id, service) for trace_id in (FAILED, SLOW) for service in ("gateway", "worker")}
    until(lambda: {(span.trace_id, span.service) for span in jaeger.spans()} == wanted)
    # Later spans follow the judgement.
    send(jaeger, FAST, "projector", began=began, milliseconds=10)
    send(jaeger, FAILED, "projector", began=began, milliseconds=10)
    wanted.add((FAILED, "projector"))
    until(lambda: {(span.trace_id, span.service) for span in jaeger.spans()} == wanted)
