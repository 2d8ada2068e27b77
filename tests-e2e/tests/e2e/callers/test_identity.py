"""The whole system with AUTH=tokens and accounts of its own: identity's tokens, behind the gateway."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import jwt
import pytest

from cheeper_e2e.stack.provider import serving
from cheeper_local.running import RunningStack
from cheeper_local.waiting import until

pytestmark = [
    pytest.mark.local,
    pytest.mark.extended,
    pytest.mark.proves(guarantee="identity"),
    pytest.mark.takes(seconds=6),
]

README = Path(__file__).parents[4] / "README.md"
OK, CREATED, ACCEPTED, FOUND, UNAUTHENTICATED, NOT_ALLOWED, NOT_FOUND = 200, 201, 202, 302, 401, 403, 404
UNAVAILABLE = 503
PASSWORD, OTHER_PASSWORD = "a password of Ann", "another one of hers"


@pytest.fixture(scope="module")
def provider():
    """An OpenID provider, with one client."""
    with serving(secret="of the client") as provider:
        yield provider


@pytest.fixture(scope="module")
def stack(provider, tmp_path_factory):
    """A stack of these tests alone, with two replicas of identity, and a provider to sign in by."""
    file = tmp_path_factory.mktemp("provider") / "secret"
    file.write_text(provider.secret)
    configured = {"name": "example", "title": "Example", "issuer": provider.issuer.issuer}
    configured |= {"client_id": provider.client_id, "client_secret_file": str(file)}
    environment = {"AUTH": "tokens", "ISSUERS": "", "IDENTITY_REPLICAS": "2", "INSPECTOR": "on"}
    environment |= {"SIGN_IN_PROVIDERS": json.dumps([configured])}
    with RunningStack.temporary(environment=environment) as stack:
        provider.redirect_uri = f"{stack.gateway}/"
        yield stack


@pytest.fixture
def client(stack):
    with httpx.Client(base_url=stack.gateway, timeout=30) as client:
        yield client


def data_of(stack):
    """The folder of the stack's data."""
    return Path(stack.state["data"])


def code_in(stack, email):
    """The code of the newest mail to an address."""
    mails = [mail.read_text() for mail in sorted((data_of(stack) / "mail").glob("*.eml"))]
    return re.search(r"^The code is (\S+)$", [mail for mail in mails if f"To: {email}" in mail][-1], re.MULTILINE)[1]


def new_account(stack, client, email):
    """Make an account; return its id and the tokens of its first session."""
    assert client.post("/account", json={"email": email}).status_code == ACCEPTED
    body = {"email": email, "code": code_in(stack, email), "new_password": PASSWORD}
    made = client.put("/account/password", json=body)
    assert made.status_code == OK, made.text
    return made.json()["data"]["account_id"], made.json()["data"]["session"]


def subject_of(session):
    """The id of the account that a session is of."""
    return jwt.decode(session["access_token"], options={"verify_signature": False})["sub"]


def bearer(session):
    return {"Authorization": f"Bearer {session['access_token']}"}


def sign_in_by_provider(client):
    """Sign in as a browser does; return the session, and the secrets that were on their way."""
    begun = client.post("/session/external", json={"provider": "example"}).json()["data"]
    back = httpx.get(begun["url"])
    assert back.status_code == FOUND, back.text
    query = dict(httpx.URL(back.headers["Location"]).params)
    page = client.get(f"/?{httpx.URL(back.headers['Location']).query.decode()}")  # as the browser comes back
    assert page.status_code == OK
    done = client.put("/session/external", json={"secret": begun["secret"], **query})
    assert done.status_code == CREATED, done.text
    return done.json()["data"], {begun["secret"], *query.values()} - {query["iss"]}


def refresh(client, session):
    return client.post("/session", json={"refresh_token": session["refresh_token"]})


def test_the_readmes_lines_work_as_printed(stack):
    """A user who pastes the lines of README.md has an account, an author and a cheep that the last line shows."""
    lines = re.search(r"^AUTH=tokens make up$.*?^```sh\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)[1]
    here = lines.replace("http://127.0.0.1:8000", stack.gateway).replace(".cheeper/", f"{data_of(stack)}/")
    done = subprocess.run(["sh", "-e", "-c", here], capture_output=True, text=True, timeout=60, check=True)  # noqa: S607 - the user's shell
    (cheep,) = json.loads(done.stdout[done.stdout.rindex('{"data":') :])["data"]["cheeps"]
    assert (cheep["cheep_message"], cheep["author_username"]) == ("Hello", "ann")


def test_an_account_acts_as_its_author_alone(stack, client):
    """A token signs up and posts as its account's author, and as nobody else."""
    ann, session = new_account(stack, client, "ann.acts@example.org")
    eve, evil = new_account(stack, client, "eve@example.org")
    author = {"author_id": ann, "username": "annacts", "email": "ann.acts@example.org"}
    assert client.post("/author", json=author, headers=bearer(evil)).status_code == NOT_ALLOWED
    assert client.post("/author", json=author, headers=bearer(session)).status_code == CREATED
    post = {"author_id": ann, "message": "Hello"}
    assert client.post("/cheep", json=post, headers=bearer(session)).status_code == ACCEPTED
    assert client.post("/cheep", json=post, headers=bearer(evil)).status_code == NOT_ALLOWED
    assert client.post("/cheep", json=post).status_code == UNAUTHENTICATED
    assert client.get(f"/author/{eve}").status_code == NOT_FOUND


def test_only_an_operator_may_use_the_inspector(stack, client):
    """A caller without the role is refused, and has it with the first token after it was given."""
    email = "ann.operates@example.org"
    ann, session = new_account(stack, client, email)
    paths = (f"/inspector/trace/{ann}", "/inspector/failed", "/operations")
    action = {"action": "replay", "server": "redis", "key": ann, "reason": "nothing is parked"}
    for path in paths:
        assert client.get(path).status_code == UNAUTHENTICATED
        assert client.get(path, headers=bearer(session)).status_code == NOT_ALLOWED
    assert client.post("/operations", json=action).status_code == UNAUTHENTICATED
    assert client.post("/operations", json=action, headers=bearer(session)).status_code == NOT_ALLOWED
    give = [sys.executable, "-m", "identity", "roles", email, "operator"]
    subprocess.run(give, env={**os.environ, **stack.state["environment"]}, check=True, capture_output=True)
    operator = refresh(client, session).json()["data"]
    for path in paths:
        assert client.get(path, headers=bearer(operator)).status_code == OK
    assert client.get("/operations", headers=bearer(operator)).json()["data"]["actions"] == []
    begun = client.post("/operations", json=action, headers=bearer(operator))
    assert (begun.status_code, begun.json()["data"]["caller"]) == (ACCEPTED, ann)


def test_a_session_rotates_and_ends(stack, client):
    """A refresh token leads to the next one; an old one, a sign-out or a new password ends the session everywhere."""
    email = "ann.session@example.org"
    _, first = new_account(stack, client, email)
    second = refresh(client, first).json()["data"]
    third = refresh(client, second).json()["data"]
    assert refresh(client, first).status_code == UNAUTHENTICATED
    assert refresh(client, third).status_code == UNAUTHENTICATED
    signed_in = client.post("/session", json={"email": email, "password": PASSWORD})
    assert signed_in.status_code == CREATED
    token = {"refresh_token": signed_in.json()["data"]["refresh_token"]}
    assert client.request("DELETE", "/session", json=token).status_code == OK
    assert client.post("/session", json=token).status_code == UNAUTHENTICATED
    other = client.post("/session", json={"email": email, "password": PASSWORD}).json()["data"]
    change = {"email": email, "password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert client.put("/account/password", json=change).status_code == OK
    assert refresh(client, other).status_code == UNAUTHENTICATED
    assert client.post("/session", json={"email": email, "password": PASSWORD}).status_code == UNAUTHENTICATED


def test_a_subject_of_a_provider_acts_as_its_author(stack, client, provider):
    """A provider's user signs up and posts, and is the same author after the next sign-in."""
    session, secrets = sign_in_by_provider(client)
    author = {"username": "alice", "email": "alice@example.org", "author_id": subject_of(session)}
    assert client.post("/author", json=author, headers=bearer(session)).status_code == CREATED
    again, more = sign_in_by_provider(client)
    assert subject_of(again) == subject_of(session)
    post = {"author_id": subject_of(session), "message": "By a provider"}
    assert client.post("/cheep", json=post, headers=bearer(again)).status_code == ACCEPTED
    assert (
        client.post("/cheep", json=post | {"author_id": str(uuid4())}, headers=bearer(again)).status_code == NOT_ALLOWED
    )
    secrets |= more | {session["access_token"], session["refresh_token"], provider.secret}
    logs = {log.name: log.read_text(errors="replace") for log in stack.logs.rglob("*.log")}
    assert [name for name, text in logs.items() if any(secret in text for secret in secrets)] == []


def test_a_provider_that_is_unavailable_harms_its_sign_in_alone(stack, client, provider):
    """The sign-in by it is 503, at once where its metadata is known; passwords and what is signed in go on."""
    _, session = new_account(stack, client, "ann.provider@example.org")
    sign_in_by_provider(client)
    sign_in_by_provider(client)  # so that both replicas know its metadata
    begun = client.post("/session/external", json={"provider": "example"}).json()["data"]
    back = httpx.URL(provider.authorize(begun["url"])).params
    provider.available = False
    try:
        body = {"secret": begun["secret"], **dict(back)}
        assert client.put("/session/external", json=body).status_code == UNAVAILABLE
        signed_in = client.post("/session", json={"email": "ann.provider@example.org", "password": PASSWORD})
        assert signed_in.status_code == CREATED
        assert refresh(client, session).status_code == CREATED
    finally:
        provider.available = True
    sign_in_by_provider(client)


def test_a_replica_that_dies_takes_no_session_with_it(stack, client):
    """Each replica refreshes the sessions of the others, and the keys stay the same."""
    _, session = new_account(stack, client, "ann.replica@example.org")
    keys = client.get("/.well-known/jwks.json").json()
    stack.stop_process("identity-1")
    try:
        assert refresh(client, session).status_code == CREATED
        assert client.get("/.well-known/jwks.json").json() == keys
    finally:
        stack.start_process("identity-1")
        stack.wait_ready()


def test_no_log_has_a_secret(stack, client):
    """No password, code or token of a whole life of an account is in any log, and neither is the address."""
    email = "ann.secret@example.org"
    _, session = new_account(stack, client, email)
    client.post("/session", json={"email": email, "password": "wrong " + PASSWORD})
    client.post("/session", json={"email": email, "password": PASSWORD, "x": 1})
    client.post("/session", content=f'{{"password": "{PASSWORD}"', headers={"Content-Type": "application/json"})
    client.get("/session", params={"password": PASSWORD})
    assert refresh(client, session).status_code == CREATED
    secrets = {PASSWORD, PASSWORD.replace(" ", "+"), email, session["access_token"], session["refresh_token"]}
    until((stack.logs / "identity-1.log").exists)
    logs = {log.name: log.read_text(errors="replace") for log in stack.logs.rglob("*.log")}
    found = [(name, secret) for name, text in logs.items() for secret in secrets if secret in text]
    assert found == []
    assert any(name.startswith("identity") for name in logs)
