"""A typed Python client, which openapi-python-client makes of the served document, against the running stack."""

import importlib
import subprocess
import sys
import uuid
from http import HTTPStatus

import httpx
import pytest

PACKAGE = "cheeper_api_of_this_test"


@pytest.fixture(scope="module")
def generated(url, tmp_path_factory):
    """Generates the client, any warning of the generator being an error, and returns what imports its modules."""
    folder = tmp_path_factory.mktemp("client")
    document, settings = folder / "openapi.json", folder / "settings.yaml"
    document.write_bytes(httpx.get(f"{url}/openapi.json", trust_env=False).raise_for_status().content)
    settings.write_text("post_hooks: []\n")
    tool = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    paths = ["--path", str(document), "--output-path", str(folder / PACKAGE), "--config", str(settings)]
    subprocess.run([*tool, *paths], check=True, capture_output=True)
    sys.path.insert(0, str(folder))
    yield lambda name="": importlib.import_module(f"{PACKAGE}{name}")
    sys.path.remove(str(folder))


@pytest.fixture
def call(generated, url):
    """Calls an operation by its tag and name, and returns the typed response with its status."""
    client = generated().Client(base_url=url, timeout=httpx.Timeout(60))

    def send(tag, name, *args, **given):
        return generated(f".api.{tag}.{name}").sync_detailed(*args, client=client, **given)

    with client:
        yield send


def test_a_typed_client_signs_up_posts_and_reads(generated, call):
    """Commands and queries by types alone: what was posted under a key is in the list that waits for the key."""
    models = generated(".models")
    author_id, key = uuid.uuid4(), uuid.uuid4()
    username = f"t{author_id.hex[:12]}"
    body = models.SignUpBody(author_id=author_id, username=username, email=f"{username}@example.com")
    signed_up = call("commands", "sign_up", body=body)
    assert (signed_up.status_code, signed_up.parsed.data.author_id) == (HTTPStatus.CREATED, str(author_id))
    post = models.PostCheepBody(author_id=author_id, message="Hello")
    posted = call("commands", "post_cheep", body=post, idempotency_key=str(key))
    assert isinstance(posted.parsed, models.PostCheepDataResponse)
    found = call("queries", "author_cheeps", author_id, after=key)
    assert isinstance(found.parsed, models.CheepListResponse)
    (cheep,) = found.parsed.data.cheeps
    assert (cheep.cheep_id, cheep.cheep_message) == (posted.parsed.data.cheep_id, "Hello")
    status = call("queries", "command", key).parsed.data
    assert (status.type_, status.changed) == ("cheeper.post-cheep.v1", True)


def test_a_typed_client_gets_typed_errors(generated, call):
    """An error is a Problem with its code and its wrong fields, not an exception of the client."""
    models = generated(".models")
    missing = call("queries", "author", uuid.uuid4())
    assert isinstance(missing.parsed, models.ProblemResponse)
    assert (missing.status_code, missing.parsed.data.code) == (HTTPStatus.NOT_FOUND, "author_not_found")
    wrong = call("commands", "sign_up", body=models.SignUpBody(username="no spaces", email="b@example.com"))
    assert (wrong.parsed.data.code, [each.field for each in wrong.parsed.data.fields]) == ("invalid", ["username"])
