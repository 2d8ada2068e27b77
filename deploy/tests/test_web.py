"""The web client's files, as the gateway serves them at / and /web/."""

import gzip
import re

import pytest

from cheeper_local.runner.roles import WEB_ROOT


def test_the_page_is_served_with_a_strict_policy(client):
    """The page and its modules have a policy without exceptions, which allows the gateway's own files alone."""
    for path in ("/", "/web/app.js", "/web/styles/base.css"):
        response = client.get(path)
        assert response.status_code == 200
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert not {"unsafe", "data:", "blob:", "*", "http"} & set(policy.replace("'", " ").replace("-", " ").split())
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "server" not in response.headers


@pytest.mark.parametrize(
    ("path", "file", "media"),
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/web/app.js", "app.js", "text/javascript; charset=utf-8"),
        ("/web/styles/base.css", "styles/base.css", "text/css; charset=utf-8"),
        ("/web/icon.svg", "icon.svg", "image/svg+xml"),
    ],
)
def test_files_are_compressed_and_asked_for_once(client, path, file, media):
    """A file comes gzipped to whom it may, and 304 to whom has it; a browser asks each time whether it is the same."""
    content = (WEB_ROOT / file).read_bytes()
    for encoding in ("gzip", "identity"):
        response = client.get(path, headers={"Accept-Encoding": encoding})
        assert response.content == content
        assert response.headers["content-type"] == media
        assert response.headers["cache-control"] == "public, no-cache"
        assert "Accept-Encoding" in response.headers["vary"]
        again = client.get(path, headers={"Accept-Encoding": encoding, "If-None-Match": response.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    with client.stream("GET", "/web/app.js", headers={"Accept-Encoding": "gzip"}) as raw:
        assert gzip.decompress(b"".join(raw.iter_raw())) == (WEB_ROOT / "app.js").read_bytes()
    assert client.head(path).headers["content-type"] == media


@pytest.mark.parametrize(
    "path",
    [
        "/web",
        "/web/nope.js",
        "/web/lib",
        "/web/lib/",
        "/web/../Caddyfile",
        "/web/%2e%2e/pyproject.toml",
        "/chapter7/web/app.js",
    ],
)
def test_nothing_else_is_served(client, path):
    """A path that is no file of the client does not exist, and no folder is listed."""
    response = client.get(path)
    assert (response.status_code, response.json()["data"]["code"]) == (404, "no_such_path")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_page_is_for_reading(client, method):
    """Another method is refused with those that are allowed, and reaches no service."""
    for path in ("/", "/web/app.js"):
        response = client.request(method, path)
        assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
        assert response.json()["data"]["code"] == "method_not_allowed"


def test_every_module_that_is_imported_is_a_file():
    """No module names one that does not exist, and none comes from another server."""
    for module in WEB_ROOT.rglob("*.js"):
        for name in re.findall(r'(?:from|import) "([^"]+)"', module.read_text()):
            assert name.startswith("."), f"{module}: {name}"
            assert (module.parent / name).is_file(), f"{module}: {name}"
