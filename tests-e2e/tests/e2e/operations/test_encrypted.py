import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from cheeper_e2e.stack.stacks import CLONE
from cheeper_local.runner.roles import real_commands
from cheeper_local.system.ports import HOST, free_port
from cheeper_local.testing.encrypted import (
    ADMIN,
    Authority,
    EncryptedKafka,
    EncryptedMongo,
    EncryptedPostgres,
    EncryptedRedis,
)
from cheeper_local.waiting import until

pytestmark = [pytest.mark.local, pytest.mark.extended, pytest.mark.takes(seconds=25)]

NOWHERE = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "REDIS_URL": "redis://127.0.0.1:1",
    "MONGO_URL": "mongodb://127.0.0.1:1",
}
"""The variables of a process that uses none of its servers."""
NO_NAME_OF_THEIRS = "localhost"
"""A name that leads to the servers and is not in their certificates."""
SECONDS = 120
USERS = {
    "write-api": "http",
    "worker": "worker",
    "relay": "relay",
    "process-manager": "process-manager",
    "projector": "projector",
    "inspector": "inspector",
}
"""The user of Kafka of each role that has one, as `migrate` makes it, without `cheeper.`."""


STORE_USERS = ("projector", "read-api", "audit")
"""The roles that have a user of Redis and one of MongoDB, as `projector access` makes them."""
READERS = {**{role: role for role in STORE_USERS}, "inspector": "audit"}
"""The user of Redis and MongoDB of each role; the others, which read no views, get that of read-api."""
OF_POSTGRES = {
    **dict.fromkeys(("write-api", "worker", "process-manager"), "app"),
    **{role: role for role in ("relay", "audit", "migrate")},
    "inspector": "audit",
}
"""The role of PostgreSQL of each process, as `access` and `migrate` make them."""
PROJECTOR = [sys.executable, "-m", "projector"]
AUDIT = [sys.executable, "-m", "cheeper_audit"]


class Place:
    """Four servers with TLS and users, and the variables of the processes that use them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "authority")
        (folder / "authority").chmod(0o755)
        self.postgres = EncryptedPostgres(folder / "postgres", self.authority)
        self.passwords = folder / "passwords"
        self.passwords.mkdir()
        for user in {ADMIN, "limits", "exporter", *USERS.values(), *STORE_USERS, *OF_POSTGRES.values()}:
            (self.passwords / user).write_text(f"the-password-of-{user}")
        self.redis = EncryptedRedis(folder / "redis", self.authority, self.access("redis", NOWHERE))
        self.mongo = EncryptedMongo(folder / "mongo", self.authority)
        self.kafka = EncryptedKafka(folder / "kafka", self.authority)
        self.servers = (self.postgres, self.redis, self.mongo, self.kafka)

    def start(self) -> None:
        for server in self.servers:
            server.start()
        self.kafka.add_user(ADMIN, (self.passwords / ADMIN).read_text())
        self.access("mongo", {**NOWHERE, "MONGO_URL": self.mongo.url})

    def access(self, server: str, variables: Mapping[str, str]) -> str:
        """Make the users of a server of views. Return the text of the file for it, if it reads one."""
        environ = {**os.environ, **variables, "STORE_PASSWORDS_FOLDER": str(self.passwords), "LOG_LEVEL": "error"}
        command = [*PROJECTOR, "access", server]
        return subprocess.run(
            command, env=environ, check=True, stdout=subprocess.PIPE, text=True, timeout=SECONDS
        ).stdout

    def variables(self, trusted: Path, role: str = "write-api") -> dict[str, str]:
        """Return the variables of a role that trusts the authority in this file, with its own user of each server."""
        user, reader = USERS.get(role, ADMIN), READERS.get(role, "read-api")
        password, database = (self.passwords / reader).read_text(), self.postgres.url_of(trusted)
        if login := OF_POSTGRES.get(role):
            login = f"cheeper_{login}:{(self.passwords / login).read_text()}@"
            database = f"postgresql://{login}{database.partition('@')[2]}"
        return {
            "DATABASE_URL": database,
            "REDIS_URL": self.redis.url_of(trusted, f"cheeper.{reader}", password),
            "MONGO_URL": self.mongo.url_of(trusted, f"cheeper.{reader}", password),
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.secure,
            "KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
            "KAFKA_SASL_USERNAME": user if user == ADMIN else f"cheeper.{user}",
            "KAFKA_SASL_PASSWORD_FILE": str(self.passwords / user),
            "KAFKA_CA_FILE": str(trusted),
            "INSPECTOR": "on",
        }


@pytest.fixture(scope="module")
def place():
    folder = Path(tempfile.mkdtemp(prefix="cheeper-test-"))
    folder.chmod(0o755)  # PostgreSQL runs as an unprivileged user where the tests run as root
    place = Place(folder)
    try:
        place.start()
        yield place
    finally:
        for server in place.servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(role: str, variables: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Run a role, and give its URL."""
    port = free_port()
    environ = {**os.environ, **variables, "HOST": HOST, "PORT": str(port), "LOG_FORMAT": "json"}
    with (folder / f"{role}-{uuid.uuid4().hex}.log").open("w") as log:
        process = subprocess.Popen(real_commands()[role], env=environ, stdout=log, stderr=log, cwd=CLONE)
        try:
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait(SECONDS)


def readiness(url):
    """Return the status and the text of the readiness page, or 0 before the process listens."""
    try:
        response = httpx.get(f"{url}/health/ready", timeout=10)
    except httpx.TransportError:
        return 0, ""
    return response.status_code, response.text


@pytest.fixture(scope="module")
def migrated(place):
    """The place, once `access` has made the owner of the database, and `migrate`, which acts for it, the users of the
    roles, with the rights that they need.
    """
    variables = place.variables(place.authority.file, "migrate")
    variables["KAFKA_PASSWORDS_FOLDER"] = str(place.passwords)
    variables |= {f"{role.upper()}_PASSWORD_FILE": str(place.passwords / role) for role in OF_POSTGRES.values()}
    command, environ = real_commands()["migrate"], {**os.environ, **variables}
    superuser = {**environ, "DATABASE_URL": place.postgres.url_of(place.authority.file)}
    for each, of_it in (([*command[:-1], "access"], superuser), (command, environ)):
        subprocess.run(each, env=of_it, check=True, capture_output=True, timeout=SECONDS)
    return place


@pytest.fixture
def urls(migrated):
    """The URLs of all roles, each of which runs with its own users and is ready."""
    with ExitStack() as stack:
        found = {
            role: stack.enter_context(running(role, migrated.variables(migrated.authority.file, role), migrated.folder))
            for role in (*USERS, "read-api")
        }
        for role, url in found.items():
            until(lambda url=url: readiness(url)[0] == httpx.codes.OK, what=f"the readiness of {role}")
        yield found


def test_every_process_works_over_tls_with_its_own_user_of_each_server(migrated, urls):
    """Every server has a certificate of a private authority. What two authors do goes through all of them, and each
    kind of query is answered. A welcome is a command that a process manager sends, so every role has written what it
    may. The audit finds no difference, and a generation is built, compared and deleted.
    """
    ada, bob = (signed_up(urls, name) for name in ("ada_lovelace", "bob_noyce"))
    cheep = str(uuid.uuid4())
    with httpx.stream("GET", f"{urls['read-api']}/author/{bob}/timeline/stream", timeout=SECONDS) as stream:
        send(urls, "follow", from_author_id=bob, to_author_id=ada)
        until(lambda: data(urls, f"author/{ada}/followers"), what="the follower")
        send(urls, "cheep", cheep_id=cheep, author_id=ada, message="analytical engines")
        assert receives(stream, "analytical")
    for path in (
        *(f"author/{bob}/timeline", f"author/{bob}/following", f"author/{ada}/notifications", f"author/{ada}/cheeps"),
        *(f"author/{ada}/followers-counter", f"cheep/{cheep}"),
    ):
        until(lambda path=path: data(urls, path), what=path)
    until(lambda: (data(urls, "search?q=analytical") or {}).get("items"), what="the search")
    assert httpx.get(f"{urls['read-api']}/metrics", timeout=10).is_success
    assert_audited(migrated)
    assert_inspected(urls, cheep, ada)
    for store in ("redis", "mongo"):
        rebuild(migrated, store)
    for path in (f"author/{bob}/timeline", f"author/{bob}/following"):
        until(lambda path=path: data(urls, path), what=f"{path} of the first generation")


def signed_up(urls, username):
    """Sign an author up, and return the id once the author can be read."""
    author = str(uuid.uuid4())
    send(urls, "author", author_id=author, username=username, name=username, email=f"{username}@example.org")
    until(lambda: data(urls, f"author/{author}"), what=username)
    return author


def send(urls, path, **body):
    assert httpx.post(f"{urls['write-api']}/{path}", json=body, timeout=10).is_success


def data(urls, path):
    """Return the data of a response, or None if there is none yet."""
    response = httpx.get(f"{urls['read-api']}/{path}", timeout=10)
    return response.json()["data"] if response.is_success else None


def receives(stream, text):
    """Return whether a stream, which is never silent for long, has the text within the time."""
    deadline = time.monotonic() + SECONDS
    return text in next((line for line in stream.iter_lines() if text in line or time.monotonic() > deadline), "")


def rebuild(place, store):
    """Build a generation, compare it, switch to it and back, and delete it, with the users of the projector."""
    projector = {**os.environ, **place.variables(place.authority.file, "projector"), "LOG_LEVEL": "error"}
    which = ("--store", store)
    run([*PROJECTOR, "rebuild", *which], projector)
    owner = place.postgres.url_of(place.authority.file)
    run([*AUDIT, *which, "--generation", "2"], {**projector, "DATABASE_URL": owner})
    run([*PROJECTOR, "switch", *which, "--generation", "2"], projector)
    run([*PROJECTOR, "rollback", *which], projector)
    run([*PROJECTOR, "forget", *which, "--generation", "2"], projector)


def assert_audited(place):
    """Compare all views with the audit's own users."""
    run(AUDIT, {**os.environ, **place.variables(place.authority.file, "audit")})


def assert_inspected(urls, cheep, author):
    """Check that the inspector reads every server with its own users."""
    for path in (f"trace/{cheep}", f"author/{author}", "failed"):
        found = httpx.get(f"{urls['inspector']}/inspector/{path}", timeout=60).json()["data"]
        assert found["unavailable"] == {}
        assert path != f"author/{author}" or found["comparison"]["equal"]


def run(command, environ):
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


NEEDS = {"write-api": {"postgres", "kafka"}, "projector": {"redis", "mongo"}, "read-api": {"redis", "mongo"}}
"""The servers that one role of each service reports. The projector waits for Kafka only once it has the rest."""


def others(place, variables, reason):
    """Wait until every role has tried each of its servers, and return what readiness reports of those where it is not
    this reason.
    """
    with ExitStack() as stack:
        urls = {role: stack.enter_context(running(role, variables, place.folder)) for role in NEEDS}
        for role, needs in NEEDS.items():
            until(lambda role=role, needs=needs: tried(urls[role], needs), what=f"the connections of {role}")
        found = {(role, need): state(urls[role], need)["why"] for role, needs in NEEDS.items() for need in needs}
    return {need: why for need, why in found.items() if reason not in str(why)}


def tried(url, needs):
    status, _ = readiness(url)
    return status and all(state(url, need)["why"] != "starting" for need in needs)


def state(url, need):
    return httpx.get(f"{url}/health/ready", timeout=10).json()["data"][need]


def test_servers_of_an_unknown_authority_are_refused(place):
    """A certificate is worth nothing unless the authority is the one in the setting."""
    other = Authority(place.folder / "other")
    (place.folder / "other").chmod(0o755)
    assert others(place, place.variables(other.file), "of no authority that is trusted") == {}


def test_servers_with_another_name_in_their_certificate_are_refused(place):
    """Whoever has a certificate of the same authority cannot pretend to be another server."""
    variables = place.variables(place.authority.file)
    for name in ("DATABASE_URL", "REDIS_URL", "MONGO_URL", "KAFKA_BOOTSTRAP_SERVERS"):
        variables[name] = variables[name].replace(HOST, NO_NAME_OF_THEIRS)
    assert others(place, variables, "certificate has another name") == {}


def test_a_wrong_password_of_kafka_is_refused(migrated):
    """The other servers are served meanwhile, and no log has the password."""
    wrong = migrated.folder / "wrong-password"
    wrong.write_text("a-wrong-password")
    variables = {**migrated.variables(migrated.authority.file), "KAFKA_SASL_PASSWORD_FILE": str(wrong)}
    with running("write-api", variables, migrated.folder) as url:
        until(lambda: readiness(url)[0] and state(url, "postgres")["ok"], what="PostgreSQL")
        until(lambda: state(url, "kafka")["why"] != "starting", what="the connection to Kafka")
        assert "refuses the user or the password" in state(url, "kafka")["why"]
    assert not any("a-wrong-password" in log.read_text() for log in migrated.folder.glob("*.log"))
