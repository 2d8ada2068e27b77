"""The variables, files, commands, ports and probes of each process of the chart."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

import cheeper_audit.settings
import identity.settings
import inspector.settings
import projector.settings
import read_api.settings
import write_api.settings
from cheeper_contracts.http.routes import HEALTH_LIVE, HEALTH_READY
from cheeper_local.testing.encrypted.authority import Authority
from inspector.operations.tools import environment_of

pytestmark = pytest.mark.extended

ROOT = Path(__file__).parents[3]
MODULES = {
    "write-api": write_api.settings,
    "projector": projector.settings,
    "read-api": read_api.settings,
    "identity": identity.settings,
    "inspector": inspector.settings,
    "operations": inspector.settings,
}
TOOLS = {"WRITE_API": write_api.settings, "PROJECTOR": projector.settings, "AUDIT": cheeper_audit.settings}
"""The settings of the command lines that operations run, by the beginning of their own variables."""
OPTIONS = ("--set", "roles.inspector.enabled=true", "--set", "roles.operations.enabled=true")
OF_THE_IMAGE = {"HOST", "PORT", "LOG_FORMAT"}
SECRET = {"TRAIL_URL", "DATABASE_URL", "REDIS_URL", "MONGO_URL", "LIMITS_URL", "MAIL_URL", "KAFKA_SASL_PASSWORD"}
"""The variables whose values have passwords."""
VALUES = {
    "trail-url": "postgresql://ann:secret@db.example/cheeper?sslmode=verify-full&sslrootcert={ca}",
    "database-url": "postgresql://ann:secret@db.example/cheeper?sslmode=verify-full&sslrootcert={ca}",
    "redis-url": "rediss://ann:secret@redis.example:6379?ssl_ca_certs={ca}",
    "limits-url": "rediss://ann:secret@limits.example:6379",
    "mongo-url": "mongodb://ann:secret@mongo.example/?replicaSet=rs0&tls=true&tlsCAFile={ca}",
    "mail-url": "smtps://ann:secret@mail.example",
}
"""The content of each secret's file by its name; a password otherwise."""


def environment(pod):
    """The variables of a pod's process, as the chart writes them."""
    [container] = pod["containers"]
    names = [each["name"] for each in container["env"]]
    assert len(names) == len(set(names))
    return {each["name"]: each["value"] for each in container["env"]}


def known(settings):
    """The variables that a settings class reads."""
    found = set()
    for field in msgspec.structs.fields(settings):
        nested = isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
        found |= known(field.type) if nested else {field.encode_name}
    return found


@pytest.fixture(scope="session")
def ca(tmp_path_factory):
    """The file of an authority's certificate."""
    return Authority(tmp_path_factory.mktemp("ca")).file


@pytest.fixture
def as_mounted(tmp_path, ca):
    """Returns the variables with the paths of files that exist, as the pod's volumes make them."""

    def mount(pod):
        files = {"/run/ca/ca.crt": ca} if any(each["name"] == "ca" for each in pod["volumes"]) else {}
        volumes = {each["name"]: each for each in pod["volumes"]}
        for at in pod["containers"][0]["volumeMounts"]:
            volume = volumes.pop(at["name"])
            for source in volume.get("projected", {}).get("sources", []):
                [item] = source["secret"]["items"]
                file = tmp_path / item["path"]
                kind = next((each for each in VALUES if item["path"].endswith(each)), None)
                file.write_text(VALUES.get(kind, "a-password").format(ca=ca))
                files[f"{at['mountPath']}/{item['path']}"] = file
        assert not volumes, "a volume that is not mounted"
        paths = {
            name: value for name, value in environment(pod).items() if name.endswith("_FILE") or value.startswith("/")
        }
        assert set(paths.values()) <= files.keys(), "a file that no volume has"
        return environment(pod) | {name: str(files[path]) for name, path in paths.items()}

    return mount


def test_each_process_accepts_its_variables(chart, profile, as_mounted, service_of):
    """The settings of each process can be read from what the chart gives it, so no required variable is missing."""
    for name, pod in chart.ours(profile, *OPTIONS).items():
        module, role = MODULES[service_of(pod)], pod["containers"][0]["args"][1]
        if (module, role) == (inspector.settings, "migrate"):
            assert module.of_migrate(as_mounted(pod)), name
            continue
        possible = {"environ": as_mounted(pod), "role": role, "kind": module.Settings}
        given = {each: possible[each] for each in inspect.signature(module.from_env).parameters}
        assert module.from_env(**given), name


def readable(service):
    """The variables that a service reads; operations pass on each tool's too, with its name before them or not."""
    own = known(MODULES[service].Settings)
    if service != "operations":
        return own
    of_tools = {tool: known(module.Settings) for tool, module in TOOLS.items()}
    prefixed = {f"{tool}_{each}" for tool, variables in of_tools.items() for each in variables}
    of_migrate = known(inspector.settings.MigrateSettings)
    return own.union({"TRAIL_URL"}, of_migrate, prefixed, *of_tools.values())


def test_each_variable_is_one_that_the_process_reads(chart, profile, service_of):
    """No variable of the chart is unknown to its service, so none is misspelt or without effect."""
    for name, pod in chart.ours(profile, *OPTIONS).items():
        variables = readable(service_of(pod))
        given = environment(pod)
        for each in given:
            assert each in variables or each.removesuffix("_FILE") in variables or each.startswith("OTEL_"), (
                name,
                each,
            )
        assert not {each for each in given if each in OF_THE_IMAGE}, "the image has it"


def test_operations_give_each_tool_the_settings_that_it_accepts(chart, as_mounted):
    """Each command line starts with the variables of operations, as its own service's user of each server."""
    pod = chart.pods("managed", *OPTIONS)["operations"]
    environ = as_mounted(pod)
    for tool, role in (("write-api", "dead-letters"), ("projector", None), ("audit", None)):
        module = TOOLS[tool.upper().replace("-", "_")]
        given = environment_of(tool, environ)
        assert module.from_env(given, role) if role else module.from_env(given)
    sources = {
        item["path"]: each["secret"]["name"]
        for each in pod["volumes"][1]["projected"]["sources"]
        for item in each["secret"]["items"]
    }
    assert sources["database-url"] == "cheeper-inspector"
    assert sources["write-api-database-url"] == "cheeper-process-manager"
    assert sources["projector-redis-url"] == sources["projector-mongo-url"] == "cheeper-projector"


def test_operations_are_what_the_gateway_calls_only_if_they_run(chart):
    """The gateway has their address if they are enabled, and no setup makes a trail that nobody keeps."""
    on, off = chart.pods("managed", *OPTIONS), chart.pods("managed")
    assert environment(on["gateway"])["OPERATIONS_API"] == "cheeper-operations 8080"
    assert "OPERATIONS_API" not in environment(off["gateway"])
    assert {"operations", "migrate-operations"} <= on.keys()
    assert not {"operations", "migrate-operations"} & off.keys()


def test_providers_and_their_secrets_can_be_given(chart):
    """SIGN_IN_PROVIDERS reaches identity as it is, and a Secret is mounted where its client_secret_file is."""
    provider = {"name": "example", "title": "Example", "issuer": "https://id.example", "client_id": "cheeper"}
    provider |= {"client_secret_file": "/run/folders/providers/example"}
    options = ("--set-json", f"roles.identity.env.SIGN_IN_PROVIDERS={json.dumps(json.dumps([provider]))}")
    pod = chart.pods("managed", *options, "--set", "roles.identity.files.providers=cheeper-sign-in")["identity"]
    assert json.loads(environment(pod)["SIGN_IN_PROVIDERS"]) == [provider]
    [mount] = [each for each in pod["containers"][0]["volumeMounts"] if each["mountPath"] == "/run/folders/providers"]
    [volume] = [each for each in pod["volumes"] if each["name"] == mount["name"]]
    assert (volume["secret"]["secretName"], mount["readOnly"]) == ("cheeper-sign-in", True)


def test_the_gateway_knows_its_variables(chart, profile):
    """Each variable of the gateway is in its Caddyfile, or is one of Caddy's own or OpenTelemetry's."""
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    for each in environment(chart.pods(profile)["gateway"]):
        assert f"{{${each}" in caddyfile or each.startswith(("OTEL_", "XDG_")), each


def test_secrets_come_by_reference_alone(chart, profile):
    """No rendered object is a Secret, and no variable holds a URL with a password or a password itself."""
    assert not chart.of_kind(profile, "Secret")
    for name, pod in chart.pods(profile).items():
        given = environment(pod)
        assert not SECRET & given.keys(), name
        assert not [each for each, value in given.items() if "PASSWORD" in each and not value.startswith("/run/")], name
        assert not [each for each in pod["containers"][0]["env"] if "valueFrom" in each], name


def test_a_folder_of_passwords_can_be_mounted(chart):
    """A Secret that is named as a folder is mounted, and its variable has the path."""
    option = "setup.jobs.migrate.folders.KAFKA_PASSWORDS_FOLDER=kafka-users"
    pod = chart.pods("managed", "--set", option)["migrate"]
    path = environment(pod)["KAFKA_PASSWORDS_FOLDER"]
    [mount] = [each for each in pod["containers"][0]["volumeMounts"] if each["mountPath"] == path]
    [volume] = [each for each in pod["volumes"] if each["name"] == mount["name"]]
    assert volume["secret"]["secretName"] == "kafka-users"
    assert mount["readOnly"]


def test_each_command_is_one_of_its_service(chart):
    """Each service's program knows the command that the chart runs, in every profile."""
    commands = {
        tuple(pod["containers"][0]["args"])
        for each in ("managed", "operators", "small")
        for pod in chart.ours(each, *OPTIONS).values()
    }
    assert len(commands) == 12
    for program, *arguments in commands:
        path = Path(sys.executable).with_name(program)
        shown = subprocess.run([path, *arguments, "--help"], capture_output=True, text=True, check=False)
        assert shown.returncode == 0, (program, arguments, shown.stderr)


def test_probes_ask_what_the_services_serve(chart, profile, service_of):
    """Each role is probed at the pages of health, on the port on which its image listens."""
    assert "PORT=8080" in (ROOT / "deploy" / "Dockerfile").read_text()
    for name, deployment in chart.of_kind(profile, "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        [port] = container["ports"]
        pages = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert {page["port"] for page in pages.values()} == {port["name"]}
        if service_of(pod) == "gateway":
            assert str(port["containerPort"]) == environment(pod)["PORT"]
            continue
        assert port["containerPort"] == 8080, name
        assert (pages["startup"]["path"], pages["liveness"]["path"]) == (HEALTH_LIVE, HEALTH_LIVE)
        assert pages["readiness"]["path"] == HEALTH_READY


def test_the_gateway_is_ready_without_a_service(chart, profile, start):
    """With the chart's variables, and no service behind it, the gateway serves the page of its probes."""
    pod = chart.pods(profile)["gateway"]
    [container] = pod["containers"]
    own = {
        name: value for name, value in environment(pod).items() if name not in {"HOST", "PORT"} and "XDG" not in name
    }
    with start(**own) as client:
        for kind in ("startup", "liveness", "readiness"):
            assert client.get(container[f"{kind}Probe"]["httpGet"]["path"]).status_code == httpx.codes.OK
