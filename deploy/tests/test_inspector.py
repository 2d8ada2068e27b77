"""The gateway in front of the inspector: its paths lead there alone, and without it they do not exist."""

KEY = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"
PATH = "/inspector/trace/6f9619ff-8b86-4011-b42d-00cf4fc964ff"


def test_without_the_inspector_there_are_no_such_paths(client, reads, writes):
    """Its paths are as unknown as any other, whatever is set but `on`."""
    for method in ("GET", "POST"):
        response = client.request(method, PATH)
        assert (response.status_code, response.json()["data"]["code"]) == (404, "no_such_path")
    assert [request for one in (*reads, *writes) for request in one.requests if request["path"] == PATH] == []


def test_the_inspector_gets_its_requests_and_nobody_else_does(start, serve):
    """Its queries reach it, with the caller's token, and nothing else does."""
    with (
        serve("inspector") as inspector,
        serve("other") as other,
        start(
            READ_API=f"127.0.0.1:{other.port}",
            WRITE_API=f"127.0.0.1:{other.port}",
            INSPECTOR="on",
            INSPECTOR_API=f"127.0.0.1:{inspector.port}",
        ) as client,
    ):
        response = client.get(PATH, headers={"Authorization": "Bearer x"})
        assert response.json()["data"]["headers"]["authorization"] == "Bearer x"
        assert client.get(f"/chapter7{PATH}").json()["data"]["name"] == "inspector"
        assert client.post(PATH, content=b"{}").status_code == 405
        for path in ("/inspector", "/inspector/health", "/inspector/trace", f"{PATH}/more"):
            assert client.get(path).json()["data"]["code"] == "no_such_path"
        assert client.get("/cheep/1").json()["data"]["name"] == "other"
        assert {one["path"] for one in inspector.requests} == {PATH}
        assert [one["path"] for one in other.requests] == ["/cheep/1"]


def test_operations_get_their_requests_and_nobody_else_does(start, serve):
    """Actions and queries reach operations with their body, key and token, and write-api gets none of them."""
    with (
        serve("operations") as operations,
        serve("other") as other,
        start(
            READ_API=f"127.0.0.1:{other.port}",
            WRITE_API=f"127.0.0.1:{other.port}",
            INSPECTOR="on",
            INSPECTOR_API=f"127.0.0.1:{other.port}",
            OPERATIONS_API=f"127.0.0.1:{operations.port}",
        ) as client,
    ):
        headers = {"Authorization": "Bearer x", "Idempotency-Key": KEY}
        sent = client.post("/operations", json={"action": "audit"}, headers=headers).json()["data"]
        assert (sent["name"], sent["headers"]["idempotency-key"]) == ("operations", KEY)
        assert sent["headers"]["authorization"] == "Bearer x"
        for path in ("/operations", "/operations/generations", f"/operations/{KEY}"):
            assert client.get(path).json()["data"]["name"] == "operations"
        for path in ("/operations/health/ready", f"/operations/{KEY}/more"):
            assert client.get(path).json()["data"]["code"] == "no_such_path"
        assert {request["path"] for request in other.requests} == set()
        assert operations.requests[0]["path"] == "/operations"


def test_without_the_inspector_there_are_no_operations(client, reads, writes):
    """Nobody can act over HTTP where that was not requested."""
    for method, path in (("POST", "/operations"), ("GET", "/operations"), ("POST", "/operations/failed")):
        assert client.request(method, path).json()["data"]["code"] == "no_such_path"
    assert [each for one in (*reads, *writes) for each in one.requests if each["path"].startswith("/operations")] == []
