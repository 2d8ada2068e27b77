"""The compose files, read and merged as Compose does it, without a container."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import msgspec
import pytest
import yaml

from cheeper_local.servers import containers
from cheeper_runtime.servers.kafka import KafkaConnection
from inspector.operations.tools import MODULES, environment_of
from projector.access import PASSWORDS
from write_api.kafka.access import ACCESS

ROOT = Path(__file__).parents[2]
PROTOCOLS = "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
PORTS = yaml.safe_load((ROOT / "docker-compose.ports.yaml").read_text())
OBSERVABILITY = yaml.safe_load((ROOT / "docker-compose.observability.yaml").read_text())
SERVICES = COMPOSE["services"]
SERVERS = {"postgres", "redis", "mongo", "kafka"}
REACHED_BY_THE_GATEWAY = {"write-api", "read-api", "inspector", "operations", "identity"}
PASSWORDS_OF_VIEWS = {f"views-{name}" for name in PASSWORDS}
SECRETS = {
    "access": {"postgres-superuser-url", "postgres-migrate"},
    "migrate": {
        *("postgres-migrate-url", "postgres-app", "postgres-relay", "postgres-audit", "kafka-migrate"),
        *(f"kafka-{role}" for role in ACCESS),
    },
    "migrate-identity": {"postgres-migrate-url", "postgres-identity"},
    "redis-users": {"mongo-admin-url", *PASSWORDS_OF_VIEWS},
    "mongo-users": {"mongo-admin-url", *PASSWORDS_OF_VIEWS},
    "write-api": {"postgres-app-url", "kafka-http", "limits-url"},
    "worker": {"postgres-app-url", "kafka-worker"},
    "process-manager": {"postgres-app-url", "kafka-process-manager"},
    "relay": {"postgres-relay-url", "kafka-relay"},
    "projector": {"kafka-projector", "redis-projector-url", "mongo-projector-url"},
    "read-api": {"redis-read-api-url", "mongo-read-api-url", "limits-url"},
    "identity": {"postgres-identity-url"},
    "audit": {"postgres-audit-url", "redis-audit-url", "mongo-audit-url"},
    "repair": {"postgres-audit-url", "redis-projector-url", "mongo-projector-url"},
    "inspector": {"postgres-audit-url", "redis-audit-url", "mongo-audit-url", "kafka-inspector"},
    "migrate-operations": {"postgres-migrate-url", "postgres-operations"},
    "operations": {
        *("postgres-audit-url", "redis-audit-url", "mongo-audit-url", "kafka-inspector", "postgres-operations-url"),
        *("postgres-app-url", "kafka-process-manager"),
        *("redis-projector-url", "mongo-projector-url", "kafka-projector"),
    },
    "postgres": {"postgres-superuser"},
    "mongo": {"mongo-key", "views-admin"},
    "kafka": {"kafka-migrate"},
}
"""The secrets of each service that has any."""
NAMED_ELSEWHERE = {
    "/run/secrets/limits-url",
    "/run/secrets/mongo-key",
    "/run/secrets/views-admin",
    "/run/secrets/kafka-migrate",
}
"""The paths that a command, or whoever turns something on, names, and no variable of docker-compose.yaml."""
EACH = pytest.mark.parametrize("name", SERVICES)


def networks(name):
    """The networks of a service in docker-compose.yaml."""
    return set(SERVICES[name]["networks"])


def default(text):
    """The value of `${VARIABLE:-value}` without the variable."""
    return re.fullmatch(r"\$\{\w+:-(.*)\}", str(text))[1]


def images():
    """The default of each image that is not ours, by its variable."""
    text = (ROOT / "docker-compose.yaml").read_text()
    return dict(re.findall(r"\$\{(\w+_IMAGE):-([^}]+)\}", text))


def test_the_gateway_alone_is_on_the_way_to_the_outside():
    """One network leads outside, with the gateway alone; only the gateway publishes a port."""
    ways_out = {name for name, network in COMPOSE["networks"].items() if not (network or {}).get("internal")}
    assert ways_out == {"edge"}
    assert {name for name in SERVICES if "edge" in networks(name)} == {"gateway"}
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"gateway"}


def test_the_gateway_reaches_the_services_of_http_alone():
    """The gateway shares a network with the services that serve HTTP, and with no server and no other role."""
    neighbours = {name for name in SERVICES if networks(name) & networks("gateway")} - {"gateway"}
    assert neighbours == REACHED_BY_THE_GATEWAY


@EACH
def test_who_uses_servers_reaches_them(name):
    """Each role is in the servers' network, and nothing but a server and the roles is."""
    assert ("data" in networks(name)) == (name != "gateway")


def test_each_client_of_kafka_gets_every_setting_of_its_connection():
    """Each logs in as its own user, and what is set for Compose reaches every role that connects to Kafka."""
    clients = {name for name in SERVICES if "/run/secrets/kafka-password" in secrets_of(SERVICES[name])}
    of_write_api = {"migrate", "write-api", "worker", "relay", "process-manager"}
    assert clients == of_write_api | {"projector", "inspector", "operations"}
    variables = {field.encode_name for field in msgspec.structs.fields(KafkaConnection)}
    for name in clients:
        given = SERVICES[name]["environment"]
        assert variables <= given.keys()
        secret = secrets_of(SERVICES[name])[given["KAFKA_SASL_PASSWORD_FILE"]]
        assert given["KAFKA_SASL_USERNAME"] == secret.replace("kafka-", "cheeper.")


def test_kafka_serves_nobody_who_does_not_log_in():
    """Any container reaches listeners that demand SCRAM; one that demands nothing is for the broker's own container."""
    given = PORTS["services"]["kafka"]["environment"]
    protocols = dict(each.split(":") for each in SERVICES["kafka"]["environment"][PROTOCOLS].split(","))
    for listeners in (given["KAFKA_LISTENERS"], SERVICES["kafka"]["environment"]["KAFKA_LISTENERS"]):
        for name, host in re.findall(r"(\w+)://(\w*):", listeners):
            assert protocols[name] == ("PLAINTEXT" if host == "localhost" else "SASL_PLAINTEXT")


@EACH
def test_no_container_can_take_the_machine(name):
    """Each service has limits of memory, of CPU time and of processes."""
    service = SERVICES[name]
    assert re.fullmatch(r"\d+[mg]", default(service["mem_limit"]))
    assert 0 < float(default(service["cpus"])) <= 2
    assert 0 < service["pids_limit"] <= 2048


@pytest.mark.parametrize(("variable", "image"), images().items())
def test_images_name_a_minor_version(variable, image):
    """Each image has a tag of at least two numbers, so that no major or minor version comes by itself."""
    assert re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?(-slim)?", image), variable


def test_each_image_can_be_replaced_by_its_digest():
    """Each image but our own comes from a variable, whose value may be `name:tag@sha256:…`."""
    named = {default(each["image"]) for each in SERVICES.values() if not each["image"].startswith("cheeper-")}
    assert named | {images()["PYTHON_IMAGE"]} == set(images().values())


def test_the_tests_run_on_the_same_images():
    """The tests on containers, and the Dockerfile, use the images of docker-compose.yaml."""
    servers = [containers.PostgresContainer, containers.RedisContainer, containers.MongoContainer]
    for server in [*servers, containers.KafkaContainer]:
        assert images()[server.image_variable] == server.image_default
    assert f"ARG PYTHON_IMAGE={images()['PYTHON_IMAGE']}\n" in (ROOT / "deploy" / "Dockerfile").read_text()


def test_published_servers_stay_on_this_machine():
    """docker-compose.ports.yaml publishes the servers on the loopback alone, over a network of their own."""
    assert PORTS["services"].keys() == SERVERS
    for service in PORTS["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert set(service["networks"]) == {"data", "published"}
    assert PORTS["networks"].keys() == {"published"}


def secrets_of(service):
    """The secrets that a service has, by their paths in the container."""
    given = [each if isinstance(each, dict) else {"source": each} for each in service.get("secrets", ())]
    return {f"/run/secrets/{each.get('target', each['source'])}": each["source"] for each in given}


def test_each_service_has_its_own_secrets_alone():
    """Only the role that makes roles has their passwords; every other process has the URL of its own role."""
    had = {name: set(secrets_of(service).values()) for name, service in SERVICES.items() if "secrets" in service}
    assert had == SECRETS


FOLLOW = {
    "postgres-relay": ["postgres-relay-url"],
    "views-projector": ["redis-projector-url", "mongo-projector-url"],
    "views-limits": ["limits-url"],
    "views-exporter": ["redis-exporter.json", "mongo-exporter.env"],
    "kafka-exporter": ["kafka-exporter-arguments"],
}
"""Passwords, and the files that have them in them."""


@EACH
def test_files_of_secrets_are_where_the_settings_name_them(name):
    """Each variable with a path of a secret names one that the service has, or their folder; each is named by one."""
    environment = SERVICES[name].get("environment") or {}
    named = {value for value in environment.values() if str(value).startswith("/run/secrets/")}
    had = secrets_of(SERVICES[name]).keys()
    assert {path for path in named if path not in had} <= {str(Path(path).parent) for path in had}
    assert {path for path in had if path not in named and str(Path(path).parent) not in named} <= NAMED_ELSEWHERE


@pytest.mark.parametrize("file", sorted(ROOT.glob("docker-compose*.yaml")), ids=lambda file: file.name)
def test_no_password_is_in_a_file_of_ours(file):
    """No variable and no URL has one, and a missing file is refused by a sentence that names the command."""
    text = file.read_text()
    written = yaml.safe_load(text)
    for service in written["services"].values():
        for name, value in (service.get("environment") or {}).items():
            if "PASS" in name and name != "PASSWORD_HASHES":
                assert value.startswith("/run/secrets/") or value == f"${{{name}:-}}", name
    assert not re.search(r"PASSWORD(?!_HASHES)\w*:-[^}]|//[^/\s]+:[^/\s]+@", text)
    for each in written.get("secrets", {}).values():
        assert each["file"].startswith("${SECRETS_FOLDER:?the passwords are missing: run make secrets once}/")


def make_secrets(folder):
    """Run `make secrets` for a folder, and return the content of its files."""
    environ = {**os.environ, "SECRETS_FOLDER": str(folder)}
    subprocess.run([ROOT / "deploy" / "secrets.sh"], env=environ, check=True, capture_output=True, timeout=60)
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_make_secrets_writes_what_compose_names(tmp_path):
    """Each secret is a file that others can read, in a folder that they cannot enter; passwords are long and differ."""
    written = make_secrets(tmp_path / "new")
    assert written.keys() == COMPOSE["secrets"].keys() | OBSERVABILITY["secrets"].keys() | {"mongo-exporter.env"}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o444}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    passwords = {name: text for name, text in written.items() if not re.search(r"-url$|\.|-arguments$", name)}
    assert all(re.fullmatch(r"[0-9a-f]{64}\n", password) for password in passwords.values())
    assert len(set(passwords.values())) == len(passwords)
    assert written["postgres-app-url"].startswith(f"postgresql://cheeper_app:{passwords['postgres-app'].strip()}@")


def test_make_secrets_never_overwrites_a_password(tmp_path):
    """A second run changes nothing; a password that was removed is made anew, and the URL with it follows."""
    before = make_secrets(tmp_path)
    assert make_secrets(tmp_path) == before
    for name, of_it in FOLLOW.items():
        (tmp_path / name).unlink()
        after = make_secrets(tmp_path)
        assert {each for each in after if after[each] != before[each]} == {name, *of_it}
        assert all(after[name].strip() in after[each] for each in of_it)
        before = after


def test_everybody_accepts_the_tokens_of_identity():
    """Each process with the setting has the issuer that identity says it is, unless others are named."""
    have = {name: each["environment"] for name, each in SERVICES.items() if "ISSUERS" in each.get("environment", {})}
    assert have.keys() >= {"write-api", "read-api", "worker", "inspector", "operations"}
    url = SERVICES["identity"]["environment"]["ISSUER_URL"]
    for environment in have.values():
        assert environment["AUTH"] == "${AUTH:-}"
        (issuer,) = json.loads(re.fullmatch(r"\$\{ISSUERS:-(.*)\}", environment["ISSUERS"].replace(url, "URL"))[1])
        assert issuer == {"issuer": "URL", "audience": "cheeper", "jwks": "http://identity:8080/.well-known/jwks.json"}


def test_identity_runs_with_tokens_alone():
    """It has a profile, which the line of make secrets turns on, and who fetches its keys waits for it then."""
    assert {name for name, each in SERVICES.items() if each.get("profiles") == ["tokens"]} == {
        "identity",
        "migrate-identity",
    }
    assert "'COMPOSE_PROFILES=${AUTH:-open}'" in (ROOT / "deploy" / "secrets.sh").read_text()
    for name in ("write-api", "read-api", "inspector", "operations"):
        assert SERVICES[name]["depends_on"]["identity"] == {"condition": "service_healthy", "required": False}
    gateway = SERVICES["gateway"]["environment"]
    assert (gateway["AUTH"], gateway["OTHER_ISSUERS"]) == ("${AUTH:-open}", "${ISSUERS:+named}")


def test_the_inspector_is_off_unless_it_is_requested():
    """It and operations have a profile and do not start without INSPECTOR=on, which opens their paths too."""
    for name in ("inspector", "operations", "gateway"):
        assert SERVICES[name]["environment"]["INSPECTOR"] == "${INSPECTOR:-}"
    named = {name for name, each in SERVICES.items() if each.get("profiles") == ["inspector"]}
    assert named == {"inspector", "operations", "migrate-operations"}


def test_operations_give_each_tool_what_its_service_has():
    """The image of operations has the services of all tools, and each tool gets its service's own settings."""
    arguments = SERVICES["migrate-operations"]["build"]["args"]
    assert set(MODULES) - {"audit"} == set(arguments["ALSO"].split())
    assert arguments["SERVICE"] == "inspector"  # whose image has the audit
    environ, had = SERVICES["operations"]["environment"], secrets_of(SERVICES["operations"])
    for tool, service in (("write-api", "process-manager"), ("projector", "projector"), ("audit", "repair")):
        given = environment_of(tool, environ)
        of_service = secrets_of(SERVICES[service])
        for name, value in SERVICES[service]["environment"].items():
            assert had.get(given[name], given[name]) == of_service.get(value, value), (tool, name)


def test_ci_builds_the_images_that_compose_names():
    """The line of .ci/run that hands the images' names on has each of them."""
    [line] = [each for each in (ROOT / ".ci" / "run").read_text().splitlines() if each.startswith("eval ")]
    printed = subprocess.run(
        ["/bin/bash", "-euc", f"{line}; env"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(images().items()) <= {tuple(each.split("=", 1)) for each in printed.stdout.splitlines()}


def test_everything_that_makes_traces_gets_the_collector():
    """The gateway and each role that runs for long have the variable that turns traces on; the servers have none."""
    named = {name for name, each in SERVICES.items() if "OTEL_EXPORTER_OTLP_ENDPOINT" in each.get("environment", {})}
    for_a_while = {"access", "migrate-identity", "migrate-operations", "redis-users", "mongo-users"}
    assert named == set(SERVICES) - SERVERS - for_a_while - {"audit", "repair", "limits", "inspector", "identity"}
    assert SERVICES["gateway"]["environment"]["TRACING"] == "${OTEL_EXPORTER_OTLP_ENDPOINT:+on}"


def test_the_gateway_has_what_its_caddyfile_names():
    """The gateway's container has the Caddyfile, its paths, the web client and the API documentation, to read only."""
    mounts = [volume.split(":") for volume in SERVICES["gateway"]["volumes"]]
    assert {mode for _, _, mode in mounts} == {"ro"}
    assert all((ROOT / source).exists() for source, _, _ in mounts)
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    for variable, folder in (("WEB_ROOT", "web"), ("API_DOCS_ROOT", "api-docs")):
        (root,) = re.findall(rf"\{{\${variable}:(\S+)\}}", caddyfile)
        assert [f"./services/{folder}", root, "ro"] in mounts
