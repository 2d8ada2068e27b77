import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import StatusCode

from cheeper_runtime.traces.asgi import TracedApp
from cheeper_runtime.traces.conventions import HTTP_METHOD, HTTP_STATUS
from cheeper_runtime.traces.testing import RecordedTracer

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def request(status=200, path="/cheep", method="POST", headers=(), sampler=None):
    """Serve one request. Returns the tracer and the scope that the application got."""
    tracer, scopes = RecordedTracer(sampler), []

    async def app(scope, _receive, send):
        scopes.append(scope)
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def send(_message):
        pass

    traced = TracedApp(app, tracer, {"/cheep": "/cheep"}.get)
    await traced({"type": "http", "path": path, "method": method, "headers": list(headers)}, None, send)
    return tracer, scopes[0]


async def test_a_request_passes_on_its_own_span():
    """The application finds one traceparent, of the request's span, in the place of the caller's."""
    tracer, scope = await request(headers=[(b"traceparent", CALLER.encode()), (b"host", b"h")])
    span = tracer.named("POST /cheep")
    (given,) = (value.decode() for name, value in scope["headers"] if name == b"traceparent")
    assert given == f"00-{CALLER[3:35]}-{span.context.span_id:016x}-01"
    assert (b"host", b"h") in scope["headers"]
    assert span.attributes[HTTP_STATUS] == 200


async def test_a_path_without_a_route_gets_no_span():
    """The process's own pages, and what is no path of the API, are served without a span."""
    tracer, scope = await request(path="/health/ready")
    assert tracer.ended() == []
    assert scope["headers"] == []


@pytest.mark.parametrize(("status", "failed"), [(422, False), (503, True)])
async def test_a_server_error_is_an_error(status, failed):
    """A span has failed if the server has: what a client did wrong is no error of ours."""
    tracer, _ = await request(status)
    assert (tracer.named("POST /cheep").status.status_code is StatusCode.ERROR) == failed


async def test_a_method_is_one_of_few():
    """A method that a client made up is in no span."""
    tracer, _ = await request(method="JULIA@EXAMPLE")
    assert tracer.named("_OTHER /cheep").attributes[HTTP_METHOD] == "_OTHER"


@pytest.mark.parametrize("headers", [(), ((b"traceparent", CALLER[:-2].encode() + b"00"),)])
async def test_a_request_that_is_not_sampled_is_passed_on_as_it_is(headers):
    """It gets no span, and what it carries is not changed."""
    tracer, scope = await request(headers=headers, sampler=ParentBased(ALWAYS_OFF))
    assert tracer.ended() == []
    assert tuple(scope["headers"]) == headers
