"""docker-compose.observability.yaml and what it mounts, read without a container."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ADDED = yaml.safe_load((ROOT / "docker-compose.observability.yaml").read_text())["services"]
SERVICES = {name: each for name, each in ADDED.items() if "image" in each}
STACK = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
OBSERVABILITY = ROOT / "deploy" / "observability"
PROMTOOL = shutil.which("promtool")
EACH = pytest.mark.parametrize("name", SERVICES)


def mounts(name):
    """Return source and target of each file or folder of this repository that a service mounts."""
    mount = re.compile(r"(?:\$\{\w+:-)?\./([^}:]+)\}?:([^:]+):ro")
    found = map(mount.fullmatch, SERVICES[name].get("volumes", ()))
    return {match[2]: ROOT / match[1] for match in found if match}


def config(path):
    return yaml.safe_load((OBSERVABILITY / path).read_text())


@EACH
def test_no_observer_can_take_the_machine(name):
    """Each has limits, no capability and a file system that it cannot write, and is reached from this machine alone."""
    service = SERVICES[name]
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()
    assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@EACH
def test_the_images_are_pinned_and_can_be_replaced(name):
    """Each comes from a variable, with a tag of at least two numbers."""
    assert re.fullmatch(r"\$\{\w+_IMAGE:-[\w./-]+:v?\d+\.\d+[\d.]*\}", SERVICES[name]["image"])


def test_what_is_mounted_exists():
    """A missing file would be made as an empty folder."""
    for name in SERVICES:
        for path in mounts(name).values():
            assert path.exists(), path


def test_every_process_and_exporter_is_scraped():
    """The targets are the roles with a page of metrics, by name and port, and the exporters of this file."""
    own, servers = config("prometheus.yaml")["scrape_configs"]
    image = re.compile(r"cheeper-(write-api|projector|read-api|identity|inspector):")
    ours = {name for name, each in STACK.items() if image.match(each.get("image", ""))}
    assert "data" in STACK["identity"]["networks"], "Prometheus reaches the processes there"
    (names,) = own["dns_sd_configs"]
    assert set(names["names"]) == ours - {"access", "migrate", "migrate-identity", "redis-users", "mongo-users"}
    targets = {each["targets"][0].partition(":")[0] for each in servers["static_configs"]}
    assert targets == {name for name in SERVICES if name.endswith("-exporter")}


def test_each_exporter_logs_in_as_a_user_who_sees_figures_alone():
    """Its password is in a file that its command or a variable names."""
    for name in ("redis-exporter", "kafka-exporter", "postgres-exporter"):
        (secret,) = SERVICES[name]["secrets"]
        given = [*SERVICES[name].get("command", ()), *SERVICES[name].get("environment", {}).values()]
        assert any(str(each).endswith(f"/run/secrets/{secret}") for each in given)
    (file,) = SERVICES["mongo-exporter"]["env_file"]
    assert file.endswith("/mongo-exporter.env")


def test_the_dashboards_are_where_grafana_looks():
    """Provider, home page and data source name what is mounted and what runs."""
    (provider,) = config("grafana/dashboards.yaml")["providers"]
    folder = mounts("grafana")[provider["options"]["path"]]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (folder / Path(home).name).exists()
    sources = {each["uid"]: each["url"] for each in config("grafana/datasources.yaml")["datasources"]}
    assert sources == {"prometheus": "http://prometheus:9090", "jaeger": "http://jaeger:16686"}


def test_every_process_that_makes_spans_sends_them_to_jaeger():
    """Each that knows the variable gets Jaeger's address, and has a network with Jaeger; the gateway's spans are on."""
    running = {name: each for name, each in STACK.items() if each.get("restart") != "no"}
    makers = {name for name, each in running.items() if "OTEL_EXPORTER_OTLP_ENDPOINT" in each.get("environment", ())}
    for name in makers:
        environment = ADDED[name]["environment"]
        assert environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == "${OTEL_EXPORTER_OTLP_ENDPOINT:-http://jaeger:4318}"
        assert not set(SERVICES["jaeger"]["networks"]).isdisjoint(STACK[name]["networks"])
    assert ADDED["gateway"]["environment"]["TRACING"] == "on"
    assert set(ADDED) - set(SERVICES) == makers


def test_an_inhibited_alert_exists():
    """The names in Alertmanager's rules are those of alerts."""
    alerts = {rule.get("alert") for group in config("rules/alerts.yaml")["groups"] for rule in group["rules"]}
    for rule in config("alertmanager.yaml")["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            pattern = re.fullmatch(r'alertname=~?"(.+)"', matcher)[1]
            for each in pattern.split("|"):
                assert any(re.fullmatch(each, alert) for alert in alerts), each


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is missing: install prometheus")
def test_prometheus_takes_its_configuration():
    """Promtool accepts it with its rules."""
    command = [str(PROMTOOL), "check", "config", str(OBSERVABILITY / "prometheus.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
