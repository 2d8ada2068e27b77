"""The endpoints in the OpenAPI document."""

from cheeper_contracts.http import routes
from cheeper_contracts.http.responses import STATUS_OF


async def test_every_answer_of_a_command_is_documented(sync_client):
    """OpenAPI names every status that a command may have, with a schema; 201 is of those that make something."""
    document = (await sync_client.get(routes.OPENAPI)).json()
    operations = {
        (path, method): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path not in {routes.HEALTH_LIVE, routes.HEALTH_READY}
    }
    assert set(operations) == {(route.path, method.lower()) for route in routes.ROUTES for method in route.commands}
    for (_, method), operation in operations.items():
        expected = {200, 202, *STATUS_OF.values()} | ({201} if method == "post" else set())
        assert {int(status) for status in operation["responses"]} == expected
        for answer in operation["responses"].values():
            assert answer["content"]["application/json"]["schema"]["$ref"]


async def test_every_field_of_a_command_is_documented_where_it_stands(sync_client):
    """OpenAPI names the parameters of path and query and the fields of the body, and which of these may be null."""
    paths = (await sync_client.get(routes.OPENAPI)).json()["paths"]

    def parameters(path, method):
        found = paths[path][method]["parameters"]
        return {(one["name"], one["in"], one["required"], one["schema"]["format"]) for one in found}

    def body(path, method):
        content = paths[path][method]["requestBody"]["content"]["application/json"]["schema"]
        assert (content["type"], content["additionalProperties"]) == ("object", False)
        return content["properties"], content["required"]

    key = ("Idempotency-Key", "header", False, "uuid")
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
