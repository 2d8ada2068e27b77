"""Generated requests against both services' OpenAPI documents: no 500, no response outside its schema.

The documents stand on the services' own ports, which the gateway does not pass on, so the requests go there too.
"""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ensure_resource_availability,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    use_after_free,
)

from cheeper_contracts.http.routes import (
    HEALTH_LIVE,
    HEALTH_READY,
    NOTIFICATIONS_STREAM,
    OPENAPI,
    ROUTES,
    TIMELINE_STREAM,
)

EXAMPLES = 15
NO_WAIT = 0.1  # an `after` of an unknown command waits for all of its time-out
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    missing_required_header,
    unsupported_method,
    ensure_resource_availability,
    use_after_free,
    ignored_auth,
]
"""All but `positive_data_acceptance`: the document cannot say which cursors exist, nor what the domain refuses."""

pytestmark = pytest.mark.local


@pytest.fixture(params=["write-api", "read-api"])
def service(request, local_stack):
    """The URL of one process of a service."""
    port = next(each["port"] for each in local_stack.processes().values() if each["role"] == request.param)
    return f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.extended
@pytest.mark.takes(seconds=8)
def test_every_response_is_documented(service, mode):
    """Whatever is sent, fitting the document or not, the response is one that the document describes, and no 500."""
    schema = schemathesis.openapi.from_url(service + OPENAPI)
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.path_parameters or operation.query):
            continue  # there is nothing to get wrong
        if operation.path in {TIMELINE_STREAM.path, NOTIFICATIONS_STREAM.path}:
            continue  # its response has no end

        @settings(
            derandomize=True,
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def every_case(case):
            if mode is GenerationMode.POSITIVE and "after" in (case.query or {}):
                case.query["timeout"] = NO_WAIT
            case.call_and_validate(base_url=service, checks=CHECKS)

        every_case()


def test_the_documents_hold_every_route(local_stack):
    """Together the two documents describe each path and method of the API, and nothing else."""
    described = {}
    for process in local_stack.processes().values():
        if process["role"] in ("write-api", "read-api"):
            paths = httpx.get(f"http://127.0.0.1:{process['port']}{OPENAPI}", trust_env=False).json()["paths"]
            for path, methods in paths.items():
                described.setdefault(path, set()).update(method.upper() for method in methods)
    for path in (HEALTH_LIVE, HEALTH_READY):
        described.pop(path)
    # HEAD goes without saying where GET is described.
    assert described == {route.path: {*route.queries, *route.commands} - {"HEAD"} for route in ROUTES}
