from __future__ import annotations

import json
from pathlib import Path

import pytest

from cheeper_local.runner.roles import GATEWAY, STOP_ORDER, Roles
from cheeper_local.settings import ROLES, from_env

URLS = {"postgres": "postgresql://p", "redis": "redis://r", "mongo": "mongodb://m", "kafka": "127.0.0.1:9"}
COMMANDS = {role: [role] for role in (*ROLES, GATEWAY, "migrate", "migrate-identity", "migrate-operations")}


def roles_of(tmp_path, **environ: str) -> Roles:
    return Roles(from_env(environ), tmp_path, COMMANDS)


def test_every_role_ends_somewhere_in_the_order():
    """Every role that is started has a place in the order of the stop."""
    assert {role for step in STOP_ORDER for role in step} == {*ROLES, GATEWAY, "prometheus"}


def test_replicas_are_behind_the_gateway_each_on_its_port(tmp_path):
    """The gateway has the addresses of all replicas of both services."""
    roles = roles_of(tmp_path, READ_API_REPLICAS="2")
    names = [name for group in roles.names().values() for name in group]
    first = ["write-api", "worker", "relay", "process-manager", "projector"]
    assert names == [*first, "read-api-1", "read-api-2", "inspector", "operations"]
    ports = {name: 20_000 + number for number, name in enumerate(names)}
    specs = {spec.name: spec for spec in roles.specs(URLS, ports)}
    assert specs[GATEWAY].environment["WRITE_API"] == "127.0.0.1:20000"
    assert specs[GATEWAY].environment["READ_API"] == "127.0.0.1:20005 127.0.0.1:20006"
    assert specs["read-api-2"].environment["PORT"] == "20006"


def test_roles_get_the_addresses_of_the_servers(tmp_path):
    """The roles get the servers' URLs in their environment."""
    environment = roles_of(tmp_path).migrate(URLS).environment
    assert environment["DATABASE_URL"] == "postgresql://p"
    assert environment["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:9"
    assert (environment["REDIS_URL"], environment["MONGO_URL"]) == ("redis://r", "mongodb://m")


def test_roles_share_their_limits_in_a_server_if_there_is_one(tmp_path):
    """LIMITS_URL is set only if the stack has that server, so that one from outside counts otherwise."""
    roles = roles_of(tmp_path)
    assert roles.migrate({**URLS, "limits": "redis://l"}).environment["LIMITS_URL"] == "redis://l"
    assert "LIMITS_URL" not in roles.migrate(URLS).environment


def test_processes_that_write_have_a_role_of_their_own(tmp_path):
    """They log in to PostgreSQL as the roles that migrate makes, each with the password in its file."""
    roles = roles_of(tmp_path)
    names = [name for group in roles.names().values() for name in group]
    specs = roles.specs({**URLS, "postgres": "postgresql://cheeper:owner@h:1/d"}, dict.fromkeys(names, 20_000))
    migrate = roles.migrate(URLS).environment
    urls = {spec.name: spec.environment.get("DATABASE_URL") for spec in specs}
    app = {"write-api", "worker", "process-manager", "operations"}
    for role, users in {"app": app, "relay": {"relay"}}.items():
        password = Path(migrate[f"{role.upper()}_PASSWORD_FILE"]).read_text()
        assert {name for name, url in urls.items() if url == f"postgresql://cheeper_{role}:{password}@h:1/d"} == users
    assert urls["inspector"] == "postgresql://cheeper:owner@h:1/d"


def specs_of(roles: Roles):
    names = [name for group in roles.names().values() for name in group]
    ports = {name: 20_000 + number for number, name in enumerate(names)}
    return {spec.name: spec for spec in roles.specs({**URLS, "postgres": "postgresql://cheeper:owner@h:1/d"}, ports)}


def test_tokens_without_issuers_are_those_of_identity(tmp_path):
    """Identity runs behind the gateway with a database role of its own, and all processes accept its tokens."""
    roles = roles_of(tmp_path, AUTH="tokens", PORT="8100", IDENTITY_REPLICAS="2")
    specs = specs_of(roles)
    migrate = roles.migrate_identity(URLS)
    password = Path(migrate.environment["APP_PASSWORD_FILE"]).read_text()
    assert specs["identity-1"].environment["DATABASE_URL"] == f"postgresql://cheeper_identity:{password}@h:1/d"
    assert specs["identity-1"].environment["MAIL_URL"] == f"file://{tmp_path}/mail"
    assert specs[GATEWAY].environment["IDENTITY"] == "127.0.0.1:20006 127.0.0.1:20007"
    for spec in (roles.migrate(URLS), *(specs[name] for name in ("write-api", "worker", "relay", "read-api"))):
        (issuer,) = json.loads(spec.environment["ISSUERS"])
        assert issuer["issuer"] == specs["identity-2"].environment["ISSUER_URL"] == "http://127.0.0.1:8100"


@pytest.mark.parametrize("environ", [{}, {"AUTH": "tokens", "ISSUERS": "[…]"}])
def test_identity_runs_for_its_own_tokens_alone(tmp_path, environ):
    """In the open mode, and with issuers of the user's own, there is no identity and no path to it."""
    roles = roles_of(tmp_path, **environ)
    assert "identity" not in roles.names()
    assert roles.migrate_identity(URLS) is None
    specs = specs_of(roles)
    assert "IDENTITY" not in specs[GATEWAY].environment
    assert all("ISSUERS" not in spec.environment for spec in specs.values())


@pytest.mark.parametrize("role", ["worker", "relay", "process-manager", "projector"])
def test_step_mode_leaves_message_handlers_to_the_demo(tmp_path, role):
    """In step mode no process that handles messages runs."""
    assert role not in roles_of(tmp_path, STEP="1").names()


@pytest.mark.parametrize(("collector", "tracing"), [("http://127.0.0.1:4318", "on"), ("", "")])
def test_the_gateway_makes_traces_with_the_services(tmp_path, monkeypatch, collector, tracing):
    """The variable that turns traces on in the services turns them on in the gateway."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
    roles = roles_of(tmp_path)
    ports = dict.fromkeys((name for group in roles.names().values() for name in group), 20_000)
    (gateway,) = (spec for spec in roles.specs(URLS, ports) if spec.name == GATEWAY)
    assert gateway.environment["TRACING"] == tracing


def test_the_inspector_is_on_unless_it_is_turned_off(tmp_path):
    """The gateway forwards its paths only where it runs, and it runs only where it may."""
    there, gone = specs_of(roles_of(tmp_path)), specs_of(roles_of(tmp_path, INSPECTOR="off"))
    assert there["inspector"].environment["INSPECTOR"] == there[GATEWAY].environment["INSPECTOR"] == "on"
    assert there[GATEWAY].environment["INSPECTOR_API"] == f"127.0.0.1:{there['inspector'].port}"
    assert "inspector" not in gone
    assert gone[GATEWAY].environment["INSPECTOR"] == "off"
    assert {"INSPECTOR_API", "OPERATIONS_API"}.isdisjoint(gone[GATEWAY].environment)


def test_operations_run_with_the_inspector_alone(tmp_path):
    """They add to the trail as a role of their own, whose password the migration gives it."""
    roles, gone = roles_of(tmp_path), roles_of(tmp_path, INSPECTOR="off")
    specs = specs_of(roles)
    password = Path(roles.migrate_operations(URLS).environment["TRAIL_PASSWORD_FILE"]).read_text()
    environment = specs["operations"].environment
    assert environment["TRAIL_URL"] == f"postgresql://cheeper_operations:{password}@h:1/d"
    assert environment["AUDIT_DATABASE_URL"] == "postgresql://cheeper:owner@h:1/d"
    assert specs[GATEWAY].environment["OPERATIONS_API"] == f"127.0.0.1:{specs['operations'].port}"
    assert (gone.migrate_operations(URLS), "operations" in specs_of(gone)) == (None, False)
