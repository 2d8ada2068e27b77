"""The stacks that the end-to-end suite runs against."""

from __future__ import annotations

import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

from testcontainers.compose import DockerCompose

from cheeper_local.errors import LocalError
from cheeper_local.running import RunningStack
from cheeper_local.settings import CLONE

ORIGIN: Final = "https://app.example"
"""An origin that the gateway of each of these stacks allows."""

_PATIENT: Final = {"QUEUE_MILLISECONDS": "5000"}
"""A machine that other programs keep busy responds late; a test would take a refusal for a fault."""

_REPLICAS: Final = ("WRITE_API", "READ_API", "WORKER", "PROJECTOR", "PROCESS_MANAGER")
_COMPOSE_FILES: Final = ["docker-compose.yaml", "tests-e2e/docker-compose.replicas.yaml"]
_IMAGES: Final = ("cheeper-write-api", "cheeper-projector", "cheeper-read-api")
_GATEWAY_PORT: Final = 8000
LOGS_OF_CONTAINERS: Final = CLONE / ".cheeper" / "containers.log"


@contextmanager
def local_stack(mode: Mapping[str, str]) -> Iterator[RunningStack]:
    """Start the processes, two of each role that scales, in a temporary folder, with the settings of a mode. Raise
    LocalError if that fails.
    """
    replicas = {f"{role}_REPLICAS": "2" for role in _REPLICAS}
    environment = {"ALLOWED_ORIGINS": ORIGIN, "INSPECTOR": "on", **_PATIENT, **replicas, **mode}
    with RunningStack.temporary(environment=environment) as stack:
        yield stack


@contextmanager
def container_stack() -> Iterator[str]:
    """Build the images, start docker-compose.yaml with replicas as a project of its own, and give its gateway's URL.

    The containers, volumes and images are removed at the end; their logs stay in LOGS_OF_CONTAINERS.
    Raise LocalError if they do not start.
    """
    project = f"cheeper-test-{uuid.uuid4().hex[:8]}"
    settings = {
        "COMPOSE_PROJECT_NAME": project,
        "CHEEPER_TAG": project,
        "PORT": "0",
        "ALLOWED_ORIGINS": ORIGIN,
    } | _PATIENT
    compose = DockerCompose(CLONE, _COMPOSE_FILES, build=True)
    with tempfile.TemporaryDirectory(prefix="cheeper-e2e-") as folder, patch.dict(os.environ, settings):
        os.environ["SECRETS_FOLDER"] = folder
        subprocess.run([CLONE / "deploy" / "secrets.sh"], check=True, stdout=subprocess.DEVNULL)
        try:
            _start(compose)
            yield f"http://127.0.0.1:{compose.get_service_port('gateway', _GATEWAY_PORT)}"
        finally:
            LOGS_OF_CONTAINERS.parent.mkdir(exist_ok=True)
            LOGS_OF_CONTAINERS.write_text("".join(compose.get_logs("--no-color", "--timestamps")))
            compose.stop()
            images = [f"{name}:{project}" for name in _IMAGES]
            subprocess.run(["docker", "image", "rm", *images], check=False, capture_output=True)  # noqa: S607 - as testcontainers finds it


def _start(compose: DockerCompose) -> None:
    try:
        compose.start()
    except subprocess.CalledProcessError as error:
        raise LocalError(f"docker compose failed:\n{error.stderr.decode(errors='replace')}") from None
