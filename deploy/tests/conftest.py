"""Caddy with the Caddyfile of this folder, in front of services that these tests start."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from listeners import process

from cheeper_local.runner.roles import API_DOCS_ROOT, WEB_ROOT, caddy
from cheeper_local.system.ports import free_port

HERE = Path(__file__).parent
ORIGINS = "https://a.example https://b.example"


def log_of(folder: Path, client: httpx.Client) -> Path:
    """Return the log file of a client's gateway."""
    return folder / f"gateway-{client.base_url.port}.log"


@contextmanager
def gateway(folder: Path, **environ: str) -> Iterator[httpx.Client]:
    """A client of a gateway with these settings."""
    port = free_port()
    command = (str(caddy().path), "run", "--config", str(HERE.parent / "Caddyfile"), "--adapter", "caddyfile")
    homes = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "ALLOWED_ORIGINS": ORIGINS}
    files = {"WEB_ROOT": str(WEB_ROOT), "API_DOCS_ROOT": str(API_DOCS_ROOT)}
    with (
        process(folder / f"gateway-{port}.log", port, *command, **{"PORT": str(port), **homes, **files, **environ}),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        yield client


class Standin:
    """A service of `standin.py`."""

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes]) -> None:
        self.name, self.port = name, port
        self._process = process

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    @property
    def failed_probes(self) -> int:
        """The number of probes that it has not served."""
        return int(httpx.get(f"http://127.0.0.1:{self.port}/probes").json()["data"])

    @property
    def requests(self) -> list[dict[str, object]]:
        """The requests that it got."""
        return httpx.get(f"http://127.0.0.1:{self.port}/requests").json()["data"]


@contextmanager
def standin(folder: Path, name: str, port: int | None = None) -> Iterator[Standin]:
    """A service of `standin.py`, until the end of the block."""
    port = port or free_port()
    command = (sys.executable, str(HERE / "standin.py"), str(port), name)
    with process(folder / f"{name}-{port}.log", port, *command) as running:
        yield Standin(name, port, running)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Return the file of the log."""
    return tmp_path_factory.mktemp("gateway")


@pytest.fixture(scope="session")
def reads(folder) -> Iterator[list[Standin]]:
    """Two replicas of a read side."""
    with standin(folder, "read-1") as one, standin(folder, "read-2") as two:
        yield [one, two]


@pytest.fixture(scope="session")
def writes(folder) -> Iterator[list[Standin]]:
    """Two replicas of a write side."""
    with standin(folder, "write-1") as one, standin(folder, "write-2") as two:
        yield [one, two]


def upstreams(standins: list[Standin]) -> str:
    """As READ_API and WRITE_API have them."""
    return " ".join(f"127.0.0.1:{standin.port}" for standin in standins)


@pytest.fixture(scope="session")
def client(folder, reads, writes) -> Iterator[httpx.Client]:
    """A client of a gateway in front of two replicas each."""
    with gateway(folder, READ_API=upstreams(reads), WRITE_API=upstreams(writes)) as client:
        yield client


@pytest.fixture(scope="session")
def hasty(folder, reads, writes) -> Iterator[httpx.Client]:
    """A client of a gateway in front of the same replicas, which waits a second for a request, not ten."""
    with gateway(folder, READ_API=upstreams(reads), WRITE_API=upstreams(writes), BODY_SECONDS="1") as client:
        yield client


@pytest.fixture(scope="session")
def log_file(folder, client) -> Path:
    """Return the log of that gateway."""
    return log_of(folder, client)


@pytest.fixture
def start(folder) -> Callable[..., object]:
    """Starts a gateway of the test's own."""
    return lambda **environ: gateway(folder, **environ)


@pytest.fixture
def serve(folder) -> Callable[..., object]:
    """Starts a stand-in of the test's own."""
    return lambda name, port=None: standin(folder, name, port)


@pytest.fixture
def port() -> int:
    """A port without a listener."""
    return free_port()
