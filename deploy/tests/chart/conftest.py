"""The chart, rendered by Helm with each file of values."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "helm" / "cheeper"
PROFILES = {"managed": (), "operators": ("values-operators.yaml",), "small": ("values-small.yaml",)}

VERSION = "1.34"
"""Of Kubernetes, since a Helm that `go install` has built supposes a very old one."""

Objects = list[dict[str, Any]]


def helm_program() -> str | None:
    """Return the program that `make chart-tools` has built, or the one on the PATH, or None."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cheeper"
    built = sorted(folder.glob("helm-*/helm"))
    return str(built[-1]) if built else shutil.which("helm")


class Chart:
    """Helm and the chart."""

    def __init__(self, program: str) -> None:
        self._program = program
        self.objects = cache(self._objects)

    def run(self, command: str, profile: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Helm on the chart with the profile's values."""
        release = () if command == "lint" else ("cheeper",)
        files = [option for file in PROFILES[profile] for option in ("--values", str(CHART / file))]
        return subprocess.run(
            [self._program, command, *release, str(CHART), *files, "--kube-version", VERSION, *options],
            capture_output=True,
            text=True,
            check=False,
        )

    def _objects(self, profile: str, *options: str) -> Objects:
        rendered = self.run("template", profile, *options)
        assert rendered.returncode == 0, rendered.stderr
        return [each for each in yaml.load_all(rendered.stdout, Loader=yaml.CSafeLoader) if each]

    def of_kind(self, profile: str, kind: str, *options: str) -> dict[str, dict[str, Any]]:
        """Return the rendered objects of a kind by the name of their part."""
        found = [each for each in self.objects(profile, *options) if each["kind"] == kind]
        return {each["metadata"]["name"].removeprefix("cheeper-"): each for each in found}

    def pods(self, profile: str, *options: str) -> dict[str, dict[str, Any]]:
        """Return the specification of each part's pods."""
        kinds = ("Deployment", "StatefulSet", "Job")
        return {
            name: each["spec"]["template"]["spec"]
            for kind in kinds
            for name, each in self.of_kind(profile, kind, *options).items()
        }

    def ours(self, profile: str, *options: str) -> dict[str, dict[str, Any]]:
        """Return the pods of our own images, the gateway's apart."""
        pods = self.pods(profile, *options)
        return {name: pod for name, pod in pods.items() if service(pod) not in {"gateway", None}}


def service(pod: dict[str, Any]) -> str | None:
    """Return the service whose image a pod runs, None if it is not ours."""
    [container] = pod["containers"]
    image = container["image"].rsplit("/", 1)[-1].partition(":")[0]
    return image.removeprefix("cheeper-") if image.startswith("cheeper-") else None


@pytest.fixture(scope="session")
def chart() -> Chart:
    """Return the chart. The test is skipped without Helm."""
    program = helm_program()
    if program is None:
        pytest.skip("no helm: make chart-tools builds it, which needs Go")
    return Chart(program)


@pytest.fixture(params=PROFILES)
def profile(request) -> str:
    """Return the name of each profile in turn."""
    return request.param


@pytest.fixture(scope="session")
def service_of() -> Callable[[dict[str, Any]], str | None]:
    """Return the function `service`."""
    return service
