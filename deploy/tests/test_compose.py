"""The compose files, read and merged as Compose does it, without a container."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from cheeper_local.servers import containers

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
PORTS = yaml.safe_load((ROOT / "docker-compose.ports.yaml").read_text())
SERVICES = COMPOSE["services"]
SERVERS = {"postgres", "redis", "mongo", "kafka"}
REACHED_BY_THE_GATEWAY = {"write-api", "read-api"}
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
    """The gateway shares a network with write-api and read-api, and with no server and no other role."""
    neighbours = {name for name in SERVICES if networks(name) & networks("gateway")} - {"gateway"}
    assert neighbours == REACHED_BY_THE_GATEWAY


@EACH
def test_who_uses_servers_reaches_them(name):
    """Each role is in the servers' network, and nothing but a server and the roles is."""
    assert ("data" in networks(name)) == (name != "gateway")


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
