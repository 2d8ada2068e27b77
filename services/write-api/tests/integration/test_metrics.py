"""Every role exposes its metrics on its own port, and they move with what happens: the roles as processes."""

import os
import signal
import subprocess
import sys
from itertools import count

import httpx
import psycopg
import pytest
from confluent_kafka import Producer
from prometheus_client.parser import text_string_to_metric_families

from cheeper_contracts.kafka import topics
from cheeper_local.system import processes
from cheeper_local.system.ports import free_port
from cheeper_local.testing import until
from write_api.bus.ids import new_id
from write_api.db.unit_of_work import lock_of

pytestmark = pytest.mark.proves(guarantee="order")

ROLES = ("http", "worker", "relay", "process-manager")
P = "cheeper_write_api_"
CONSUMER = {"consumed_messages_total", "consumed_batches_total", "lag_messages", "lag_seconds", "dead_letters"}
TOLD = {
    "http": {"http_requests_total", "http_request_duration_seconds_bucket"},
    "worker": CONSUMER,
    "process-manager": CONSUMER,
    "relay": {
        *("relayed_messages_total", "relay_active", "relay_sequence", "outbox_backlog_messages"),
        *("outbox_backlog_age_seconds", "outbox_blocked_seconds", "blocking_transaction_age_seconds"),
    },
}
WAIT_SECONDS = 240


class Roles:
    """Processes of the roles, each on a port of its own."""

    def __init__(self, env, folder):
        self._env, self._folder = env, folder
        self._processes, self._urls, self._numbers = [], {}, count(1)
        self._client = httpx.Client(timeout=60)

    def start(self, role, name=None):
        port = free_port()
        env, command = self._env | {"PORT": str(port)}, [sys.executable, "-m", "write_api", role]
        with (self._folder / f"{next(self._numbers)}.log").open("wb") as output:
            self._processes.append(processes.spawn(command, output=output, env=env))
        self._urls[name or role] = f"http://127.0.0.1:{port}"

    def ready(self, name):
        try:
            return self._client.get(f"{self._urls[name]}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def post(self, path, **body):
        return self._client.post(f"{self._urls['http']}{path}", json=body)

    def patch(self, path, **body):
        return self._client.patch(f"{self._urls['http']}{path}", json=body)

    def page(self, name):
        """The values of a role's page by (name, labels)."""
        response = self._client.get(f"{self._urls[name]}/metrics")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/plain")
        return {
            of(sample.name.removeprefix(P), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }

    def becomes(self, name, metric, value):
        until(lambda: self.page(name).get(metric) == value, WAIT_SECONDS, what=f"{metric} of {name} to be {value}")

    def close(self):
        self._client.close()
        for process in self._processes:
            processes.stop(process, signal.SIGTERM, 30)


@pytest.fixture
def roles(postgres_url, kafka_bootstrap, topic_prefix, tmp_path):
    given = {"DATABASE_URL": postgres_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap, "TOPIC_PREFIX": topic_prefix}
    env = os.environ | given | {"LOG_FORMAT": "json"}
    subprocess.run([sys.executable, "-m", "write_api", "migrate"], env=env, check=True, capture_output=True)
    started = Roles(env, tmp_path)
    yield started
    started.close()


def of(name, *labels):
    """Return the key of a value in a page; the order of labels has no meaning."""
    return (name, *sorted(labels))


def names(page):
    return {name for name, *_ in page}


@pytest.mark.timeout(900)
def test_every_role_exposes_what_happens(roles, postgres_url, kafka_bootstrap, topic_prefix):
    """Requests by route, commands by outcome, what was sent, and how far each consumer is."""
    for role in ROLES:
        roles.start(role)
    for role in ROLES:
        until(lambda role=role: roles.ready(role), WAIT_SECONDS, what=f"{role} to be ready")
    bob = {"author_id": new_id(), "username": "bob", "email": "bob@bob.com"}
    assert roles.post("/author", **bob).status_code == 201
    assert roles.patch(f"/author/{bob['author_id']}", location=None).status_code == 200
    assert roles.post("/author", **(bob | {"author_id": new_id(), "email": "other@bob.com"})).status_code == 409
    assert roles.post("/nowhere").status_code == 404
    assert roles.post("/cheep", author_id=bob["author_id"], message="Hello").status_code == 202
    assert roles.post("/cheep", author_id=new_id(), message="Hello").status_code == 202

    sign_up, update = "cheeper.sign-up.v1", "cheeper.update-profile.v1"
    post, welcome = "cheeper.post-cheep.v1", "cheeper.welcome-author.v1"
    page = roles.page("http")
    assert [page[of("http_requests_total", "/author", "POST", status)] for status in ("201", "409")] == [1, 1]
    assert page[of("http_requests_total", "/author/{author_id}", "PATCH", "200")] == 1
    assert page[of("http_requests_total", "none", "POST", "404")] == 1
    assert page[of("http_request_duration_seconds_count", "/author", "POST")] == 2
    assert (
        page[of("commands_total", sign_up, "changed", "")] == page[of("commands_total", update, "unchanged", "")] == 1
    )
    assert page[of("commands_total", sign_up, "rejected", "username_taken")] == 1
    assert page[of("commands_accepted_total", post)] == 2

    roles.becomes("process-manager", of("commands_accepted_total", welcome), 1)
    roles.becomes("worker", of("commands_total", welcome, "changed", ""), 1)
    roles.becomes("worker", of("commands_total", post, "changed", ""), 1)
    roles.becomes("worker", of("commands_total", post, "rejected", "author_not_found"), 1)
    roles.becomes("worker", ("consumed_messages_total",), 3)
    # two sign-ups, an update, two cheeps, a notification: each leaves one message
    roles.becomes("relay", ("relayed_messages_total",), 6)
    roles.becomes("relay", ("outbox_backlog_messages",), 0)
    roles.becomes("process-manager", ("consumed_messages_total",), 6)
    page = roles.page("relay")
    assert sum(value for (name, *_), value in page.items() if name == "relay_sequence") == 6
    for role in ROLES:
        until(lambda role=role: TOLD[role] <= names(roles.page(role)), what=f"{role} exposes all")
        assert "process_resident_memory_bytes" in names(roles.page(role))
    for role in ("worker", "process-manager"):
        roles.becomes(role, ("lag_messages",), 0)
        roles.becomes(role, ("lag_seconds",), 0)

    expose_a_blocking_transaction(roles, postgres_url, bob["author_id"])
    expose_a_blocked_worker(roles, postgres_url, bob["author_id"])
    expose_poison(roles, kafka_bootstrap, topic_prefix)
    expose_a_standby(roles)


def expose_a_blocking_transaction(roles, url, author):
    """The messages that wait for a transaction are exposed until it ends. A relay without its monitor fails."""

    def is_exposed():
        page = roles.page("relay")
        return page["outbox_backlog_messages",] == 1 and page["outbox_blocked_seconds",] > 0

    with psycopg.connect(url) as holder:
        holder.execute("SELECT pg_current_xact_id()")
        assert roles.post("/cheep", author_id=author, message="Held").status_code == 202
        until(is_exposed, WAIT_SECONDS, what="the relay to expose the message that waits")
    roles.becomes("relay", ("outbox_backlog_messages",), 0)
    roles.becomes("relay", ("outbox_blocked_seconds",), 0)


def expose_a_blocked_worker(roles, url, author):
    """Its lag rises while it cannot handle what it has, and is none again when it can."""
    with psycopg.connect(url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", [lock_of(author)])
        for _ in range(3):
            roles.post("/cheep", author_id=author, message="Hello")
        roles.becomes("worker", ("lag_messages",), 3)
        assert roles.page("worker")["lag_seconds",] > 0
    roles.becomes("worker", ("lag_messages",), 0)
    roles.becomes("worker", ("lag_seconds",), 0)


def expose_poison(roles, kafka, prefix):
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(topics.COMMANDS.named(prefix), value=b"{", key="k", partition=0)
    producer.flush(60)
    roles.becomes("worker", of("parked_messages_total", "malformed"), 1)
    roles.becomes("worker", of("dead_letters", "cheeper.commands"), 1)


def expose_a_standby(roles):
    roles.start("relay", "standby")
    until(lambda: roles.ready("standby"), WAIT_SECONDS, what="the standby to be ready")
    roles.becomes("standby", ("relay_active",), 0)
    roles.becomes("relay", ("relay_active",), 1)
    assert "relay_sequence" not in names(roles.page("standby"))
