"""The endpoints in the OpenAPI document."""

from cheeper_contracts.http import routes
from cheeper_contracts.http.documented import by_status
from write_api.features import ENDPOINTS
from write_api.http.openapi import codes_of

OWN_PAGES = {routes.HEALTH_LIVE, routes.HEALTH_READY}


async def test_every_response_to_a_command_is_documented(sync_client):
    """OpenAPI names the statuses that a command may have and no other, each with a schema and an example."""
    document = (await sync_client.get(routes.OPENAPI)).json()
    operations = {
        operation["operationId"]: (method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path not in OWN_PAGES
    }
    assert set(operations) == {command.__name__ for command in ENDPOINTS}
    for command, endpoint in ENDPOINTS.items():
        method, operation = operations[command.__name__]
        assert (method, operation["summary"][-1]) == (endpoint.method.lower(), ".")
        errors = by_status(codes_of(endpoint.method, endpoint.refusals))
        done = {200, 202} | ({201} if endpoint.method == "POST" else set())
        assert {int(status) for status in operation["responses"]} == done | set(errors)
        for status, response in operation["responses"].items():
            content = response["content"]["application/json"]
            assert content["schema"]["$ref"]
            assert list(content["examples"]) == errors.get(int(status), ["done"])


async def test_every_field_of_a_command_is_documented_where_it_stands(sync_client):
    """OpenAPI names the parameters of path and query and the fields of the body, and which of these may be null."""
    paths = (await sync_client.get(routes.OPENAPI)).json()["paths"]

    def parameters(path, method):
        found = paths[path][method]["parameters"]
        return {(one["name"], one["in"], one["required"], one["schema"].get("format")) for one in found}

    def body(path, method):
        content = paths[path][method]["requestBody"]["content"]["application/json"]["schema"]
        assert (content["type"], content["additionalProperties"]) == ("object", False)
        return content["properties"], content["required"]

    key = ("Idempotency-Key", "header", False, None)
    assert parameters("/cheep", "post") == {key}
    assert parameters("/cheep/{cheep_id}", "delete") == {
        key,
        ("cheep_id", "path", True, "uuid"),
        ("author_id", "query", True, "uuid"),
    }
    assert parameters("/cheep/{in_reply_to}/answer", "post") == {key, ("in_reply_to", "path", True, "uuid")}
    assert "requestBody" not in paths["/cheep/{cheep_id}"]["delete"]
    fields, required = body("/cheep/{in_reply_to}/answer", "post")
    assert (set(fields), set(required)) == ({"cheep_id", "author_id", "message"}, {"author_id", "message"})
    fields, required = body("/author/{author_id}", "patch")
    assert (set(fields), required) == ({"name", "bio", "location", "website", "birth_date"}, [])
    assert {"type": "null"} in fields["bio"]["anyOf"]
    assert fields["bio"].get("default") is None
