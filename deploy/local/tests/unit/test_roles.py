from __future__ import annotations

from pathlib import Path

import pytest

from cheeper_local.runner.roles import GATEWAY, STOP_ORDER, Roles
from cheeper_local.settings import ROLES, from_env

URLS = {"postgres": "postgresql://p", "redis": "redis://r", "mongo": "mongodb://m", "kafka": "127.0.0.1:9"}
COMMANDS = {role: [role] for role in (*ROLES, GATEWAY, "migrate")}


def roles_of(tmp_path, **environ: str) -> Roles:
    return Roles(from_env(environ), tmp_path, COMMANDS)


def test_every_role_ends_somewhere_in_the_order():
    """Every role that is started has a place in the order of the stop."""
    assert {role for step in STOP_ORDER for role in step} == {*ROLES, GATEWAY}


def test_replicas_stand_behind_the_gateway_each_on_its_port(tmp_path):
    """The gateway has the addresses of all replicas of both services."""
    roles = roles_of(tmp_path, READ_API_REPLICAS="2")
    names = [name for group in roles.names().values() for name in group]
    assert names == ["write-api", "worker", "relay", "process-manager", "projector", "read-api-1", "read-api-2"]
    ports = {name: 20_000 + number for number, name in enumerate(names)}
    specs = {spec.name: spec for spec in roles.specs(URLS, ports)}
    assert specs[GATEWAY].environment["WRITE_API"] == "127.0.0.1:20000"
    assert specs[GATEWAY].environment["READ_API"] == "127.0.0.1:20005 127.0.0.1:20006"
    assert specs["read-api-2"].environment["PORT"] == "20006"


def test_roles_are_told_where_the_servers_are(tmp_path):
    """The roles get the servers' URLs in their environment."""
    environment = roles_of(tmp_path).migrate(URLS).environment
    assert environment["DATABASE_URL"] == "postgresql://p"
    assert environment["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:9"
    assert (environment["REDIS_URL"], environment["MONGO_URL"]) == ("redis://r", "mongodb://m")


def test_processes_that_run_commands_have_a_role_of_their_own(tmp_path):
    """Only they log in to PostgreSQL as the role that migrate makes with the password in a file."""
    roles = roles_of(tmp_path)
    names = [name for group in roles.names().values() for name in group]
    specs = roles.specs({**URLS, "postgres": "postgresql://cheeper:owner@h:1/d"}, dict.fromkeys(names, 20_000))
    password = Path(roles.migrate(URLS).environment["APP_PASSWORD_FILE"]).read_text()
    urls = {spec.name: spec.environment.get("DATABASE_URL") for spec in specs}
    app = f"postgresql://cheeper_app:{password}@h:1/d"
    assert {name for name, url in urls.items() if url == app} == {"write-api", "worker", "process-manager"}
    assert urls["relay"] == "postgresql://cheeper:owner@h:1/d"


@pytest.mark.parametrize("role", ["worker", "relay", "process-manager", "projector"])
def test_step_mode_leaves_message_handlers_to_the_demo(tmp_path, role):
    """In step mode no process that handles messages runs."""
    assert role not in roles_of(tmp_path, STEP="1").names()
