"""The examples of the API document."""

import json

import pytest

from write_api.features import ENDPOINTS
from write_api.http.app import api_document
from write_api.http.forms import fill_in, form_of


@pytest.fixture(scope="module")
def document():
    """The API document of all commands."""
    return api_document(ENDPOINTS)


@pytest.mark.parametrize("command", ENDPOINTS, ids=lambda command: command.__name__)
def test_the_example_of_a_request_is_accepted(document, command):
    """The examples of path, query and body together are a request whose every field keeps its rule."""
    endpoint = ENDPOINTS[command]
    operation = document["paths"][endpoint.route.path][endpoint.method.lower()]
    places = {"path": {}, "query": {}, "header": {}}
    for each in operation["parameters"]:
        places[each["in"]][each["name"]] = each.get("example")
    query = "&".join(f"{name}={value}" for name, value in places["query"].items()).encode()
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    form = form_of(command, endpoint.method, endpoint.route, endpoint.new_id)
    given = fill_in(form, places["path"], query, b"" if body is None else json.dumps(body).encode(), [])
    made = command(**given)
    if endpoint.check is not None:
        endpoint.check(made)
