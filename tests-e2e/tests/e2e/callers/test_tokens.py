"""The whole system with AUTH=tokens, and an issuer of the test's own whose keys rotate."""

import json
import threading
import uuid
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from confluent_kafka import Producer

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.codec import encode
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_local.running import RunningStack
from cheeper_local.waiting import until
from cheeper_runtime.tokens.testing import MemoryIssuer

pytestmark = [
    pytest.mark.local,
    pytest.mark.extended,
    pytest.mark.proves(guarantee="identity"),
    pytest.mark.takes(seconds=8),
]

CREATED, ACCEPTED, OK, UNAUTHENTICATED, NOT_ALLOWED, NOT_FOUND = 201, 202, 200, 401, 403, 404


@contextmanager
def published(issuer):
    """Serve the issuer's key set over HTTP, and yield its URL."""

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self):
            body = issuer.key_set()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
        server.shutdown()


@pytest.fixture(scope="module")
def issuer():
    return MemoryIssuer()


@pytest.fixture(scope="module")
def stack(issuer):
    """A stack of these tests alone, since its mode is another one."""
    with published(issuer) as jwks:
        accepted = {"issuer": issuer.issuer.issuer, "audience": issuer.issuer.audience, "jwks": jwks}
        environment = {"AUTH": "tokens", "ISSUERS": json.dumps([accepted])}
        with RunningStack.temporary(environment=environment) as stack:
            yield stack


class Caller:
    """A person with an author id and the issuer's tokens."""

    def __init__(self, client, issuer):
        self.id = str(uuid.uuid4())
        self._client = client
        self._issuer = issuer

    def request(self, method, path, body=None, *, token=None):
        token = self._issuer.token(self.id) if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._client.request(method, path, json=body, headers=headers)

    def signed_up(self):
        name = f"u{self.id[:8]}"
        body = {"author_id": self.id, "username": name, "email": f"{name}@example.org"}
        assert self.request("POST", "/author", body).status_code == CREATED
        return self

    def status(self, message_id):
        """Return the status of a command, or None if there is no such command."""
        response = self.request("GET", f"/command/{message_id}")
        return response.json()["data"] if response.status_code == OK else None


@pytest.fixture
def caller(stack, issuer):
    """Make a caller who has signed up, with a client that is closed after the test."""
    with ExitStack() as clients:

        def sign_up():
            client = clients.enter_context(httpx.Client(base_url=stack.gateway, timeout=30))
            return Caller(client, issuer).signed_up()

        yield sign_up


@pytest.fixture
def ann(caller):
    return caller()


@pytest.fixture
def bob(caller):
    return caller()


def test_a_caller_acts_as_itself_alone(ann, bob):
    """Through the gateway, the worker and the process managers: own commands take effect, no others do."""
    post = {"author_id": ann.id, "message": "Hello"}
    refused = [bob.request("POST", "/cheep", post), bob.request("POST", "/cheep", post, token="")]
    assert [response.status_code for response in refused] == [NOT_ALLOWED, UNAUTHENTICATED]
    posted = ann.request("POST", "/cheep", post)
    followed = bob.request("POST", "/follow", {"from_author_id": bob.id, "to_author_id": ann.id})
    assert [posted.status_code, followed.status_code] == [ACCEPTED, ACCEPTED]
    for caller, response in ((ann, posted), (bob, followed)):
        message_id = response.json()["meta"]["message_id"]
        until(lambda c=caller, m=message_id: (c.status(m) or {}).get("status") == "projected")
    assert bob.status(posted.json()["meta"]["message_id"]) is None
    assert len(ann.request("GET", f"/author/{ann.id}/cheeps", token="").json()["data"]["cheeps"]) == 1


def test_notifications_are_for_their_author(ann, bob):
    """The system may notify an author, who alone may read it."""
    path = f"/author/{ann.id}/notifications"
    until(lambda: [each["kind"] for each in ann.request("GET", path).json()["data"]["notifications"]] == ["welcome"])
    refused = [bob.request("GET", path), bob.request("GET", path, token="")]
    assert [response.status_code for response in refused] == [NOT_ALLOWED, UNAUTHENTICATED]
    assert refused[1].headers["www-authenticate"].startswith("Bearer ")


def test_bad_tokens_are_refused_by_both_services(ann, issuer):
    """None of the tricks passes the gateway and a service."""
    post = {"author_id": ann.id, "message": "Hello"}
    for token in issuer.bad_tokens(ann.id).values():
        assert ann.request("POST", "/cheep", post, token=token).status_code == UNAUTHENTICATED
        assert ann.request("GET", f"/author/{ann.id}/notifications", token=token).status_code == UNAUTHENTICATED


def test_the_worker_does_not_believe_the_topic(stack, ann):
    """A command that somebody put on the topic without an actor, or with another one, is rejected."""
    producer = Producer({"bootstrap.servers": stack.environment["KAFKA_BOOTSTRAP_SERVERS"]})
    for actor in (None, str(uuid.uuid4())):
        command = PostCheep(cheep_id=str(uuid.uuid4()), author_id=ann.id, message="Forged")
        message_id = str(uuid.uuid4())
        envelope = Envelope(
            message_id=message_id,
            type=command.TYPE,
            source="/forger",
            time=1_900_000_000_000_000,
            key=command.key,
            correlation_id=message_id,
            actor=actor,
        )
        partition = topics.partition_of(command.key, topics.COMMANDS.partitions)
        topic = topics.COMMANDS.named(stack.environment.get("TOPIC_PREFIX", ""))
        producer.produce(
            topic, encode(command), key=command.key.encode(), headers=to_headers(envelope), partition=partition
        )
        producer.flush(30)
        until(lambda m=message_id: (ann.status(m) or {}).get("code") == "not_allowed")
        assert ann.request("GET", f"/cheep/{command.cheep_id}").status_code == NOT_FOUND


def test_keys_rotate_without_a_restart(ann, issuer):
    """A token of a new key is accepted after at most one interval, and those of the key before still are."""
    old = issuer.token(ann.id)
    issuer.rotate(keep=True)
    path = f"/author/{ann.id}/notifications"
    until(lambda: ann.request("GET", path).status_code == OK)
    assert ann.request("GET", path, token=old).status_code == OK
