"""The API documentation, as the gateway serves it at /openapi.json and /docs."""

import json

import pytest

from cheeper_local.runner.roles import API_DOCS_ROOT

SMALL = 512  # bytes: Caddy leaves smaller ones as they are


@pytest.mark.parametrize(
    ("path", "file", "media"),
    [
        ("/openapi.json", "openapi.json", "application/json"),
        ("/docs", "index.html", "text/html; charset=utf-8"),
        ("/docs/", "index.html", "text/html; charset=utf-8"),
        ("/docs/messages", "messages.html", "text/html; charset=utf-8"),
        ("/docs/docs.js", "docs.js", "text/javascript; charset=utf-8"),
        ("/docs/docs.css", "docs.css", "text/css; charset=utf-8"),
        ("/docs/swagger-ui/swagger-ui.css", "swagger-ui/swagger-ui.css", "text/css; charset=utf-8"),
    ],
)
def test_the_documentation_is_served_with_a_policy_of_its_own(client, path, file, media):
    """Each file comes gzipped unless it is small; nothing inline is allowed, and whoever has the file gets 304."""
    response = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert (response.status_code, response.headers["content-type"]) == (200, media)
    content = (API_DOCS_ROOT / file).read_bytes()
    assert response.content == content
    assert (response.headers.get("content-encoding") == "gzip") == (len(content) > SMALL)
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["connect-src"]) == ("'self'", "'self'")
    assert not any("unsafe" in sources or "http" in sources or "*" in sources for sources in policy.values())
    known = {"If-None-Match": response.headers["etag"], "Accept-Encoding": "gzip"}
    assert client.get(path, headers=known).status_code == 304


@pytest.mark.parametrize(
    "path", ["/docs/nope", "/docs/swagger-ui", "/docs/swagger-ui/", "/docs/%2e%2e/web/app.js", "/chapter7/docs", "/doc"]
)
def test_nothing_else_is_served(client, path):
    """A path that is no file of the documentation does not exist, and no folder is listed."""
    response = client.get(path)
    assert (response.status_code, response.json()["data"]["code"]) == (404, "no_such_path")


def test_the_documentation_is_for_reading(client):
    """Another method is refused with those that are allowed."""
    for path in ("/openapi.json", "/docs", "/docs/messages"):
        response = client.post(path)
        assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


def test_no_page_has_an_inline_script_or_names_another_server():
    """The pages work offline and under their policy: each script is a file of the gateway."""
    for name in ("index.html", "messages.html"):
        page = (API_DOCS_ROOT / name).read_text()
        assert "//" not in page.replace("https://json-schema.org", "").split("<main")[0]
        assert page.count("<script") == page.count("<script src=")
    assert json.loads((API_DOCS_ROOT / "openapi.json").read_text())["servers"] == [{"url": "/"}]
