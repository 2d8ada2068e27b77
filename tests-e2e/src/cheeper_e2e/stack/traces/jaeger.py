"""A real Jaeger with the configuration of deploy/observability, as a process from the PATH or as a container."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx
from typing_extensions import override

from cheeper_e2e.stack.traces.spans import Span, from_json
from cheeper_local.servers.base import Command, Server
from cheeper_local.settings import CLONE
from cheeper_local.system.binaries import on_path
from cheeper_local.system.ports import HOST, free_port

CONFIGURATION: Final = CLONE / "deploy" / "observability" / "jaeger.yaml"
HOW_TO_GET_IT: Final = (
    "there is no Jaeger 2: put `jaeger` on the PATH, or pull its image (or set JAEGER_IMAGE) with Docker"
)
_IMAGES: Final = ("jaegertracing/jaeger:2.11.0", "jaegertracing/jaeger:2")
_MOUNTED: Final = "/etc/jaeger/jaeger.yaml"
_TRACES_AT_MOST: Final = 10_000


class Jaeger(Server):
    """Jaeger on this machine: `otlp_url` takes traces, `port` responds to queries. `settings` are the variables of its
    configuration that differ.
    """

    name: ClassVar[str] = "jaeger"

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        super().__init__(folder)
        self._otlp_port, self._grpc_port = free_port(), free_port()
        self._settings = settings
        self._began = datetime.now(UTC)

    @staticmethod
    def is_available() -> bool:
        """Check that this machine has Jaeger."""
        return on_path("jaeger") is not None or _image() is not None

    @property
    def otlp_url(self) -> str:
        """The value for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://{HOST}:{self._otlp_port}"

    @property
    @override
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    @override
    def origin(self) -> str:
        return str(on_path("jaeger") or _image())

    @override
    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @override
    def command(self) -> Command:
        variables = {
            "JAEGER_HOST": HOST,
            "OTLP_PORT": str(self._otlp_port),
            "QUERY_PORT": str(self.port),
            "QUERY_GRPC_PORT": str(self._grpc_port),
            "OTEL_TRACES_SAMPLER": "always_off",  # else it traces the queries
            **self._settings,
        }
        program = on_path("jaeger")
        if program is not None:
            return Command([program, f"--config={CONFIGURATION}"], env=os.environ | variables)
        # In the network of this machine it listens where the process would. A signal to the client reaches it.
        arguments = ["docker", "run", "--rm", "--network=host", f"--volume={CONFIGURATION}:{_MOUNTED}:ro"]
        arguments += [f"--env={name}={value}" for name, value in variables.items()]
        return Command([*arguments, str(_image()), f"--config={_MOUNTED}"])

    @override
    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v3/services", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def spans(self) -> list[Span]:
        """Return every span of the traces that Jaeger has kept since it was made here."""
        found: dict[tuple[str, str], Span] = {}
        with httpx.Client(base_url=f"{self.url}/api/v3", timeout=60) as client:
            for service in client.get("/services").raise_for_status().json().get("services", ()):
                response = client.get("/traces", params=self._search(service))
                if response.status_code == httpx.codes.NOT_FOUND:  # no trace of this service yet
                    continue
                result: dict[str, Any] = response.raise_for_status().json()["result"]
                found |= {(span.trace_id, span.span_id): span for span in from_json(result.get("resourceSpans", ()))}
        return list(found.values())

    def _search(self, service: str) -> dict[str, str]:
        return {
            "query.service_name": service,
            "query.start_time_min": (self._began - timedelta(minutes=1)).isoformat(),
            "query.start_time_max": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
            "query.num_traces": str(_TRACES_AT_MOST),
            "query.raw_traces": "true",
        }


def _image() -> str | None:
    """Return the image that is here already, or None if there is none, or no Docker."""
    if shutil.which("docker") is None:
        return None
    named = os.environ.get("JAEGER_IMAGE")
    for image in (named,) if named else _IMAGES:
        inspect = ["docker", "image", "inspect", image]
        with suppress(subprocess.TimeoutExpired):  # an engine that hangs is of no use
            if subprocess.run(inspect, check=False, capture_output=True, timeout=60).returncode == 0:
                return image
    return None
