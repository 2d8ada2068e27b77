"""The stack that the suite runs against: CHEEPER_URL where it is set, else a local one, started once per session.

Tests marked `local` need what only the local stack gives (its servers' URLs, stopping and killing); with CHEEPER_URL
they are deselected, and the summary names them.
"""

import os
import tempfile
from pathlib import Path

import pytest

from cheeper_e2e.http.client import Client
from cheeper_local.running import RunningStack

ORIGIN = "https://app.example"
# Two of all that work at the same time, so that every test is one of replicas too.
ENVIRONMENT = {
    "ALLOWED_ORIGINS": ORIGIN,
    "WRITE_API_REPLICAS": "2",
    "READ_API_REPLICAS": "2",
    "WORKER_REPLICAS": "2",
    "PROJECTOR_REPLICAS": "2",
    "PROCESS_MANAGER_REPLICAS": "2",
}
GIVEN_URL = os.environ.get("CHEEPER_URL")
DESELECTED = pytest.StashKey[list[str]]()


def pytest_configure(config):
    config.addinivalue_line("markers", "local: needs the local stack; deselected where CHEEPER_URL names another")


def pytest_collection_modifyitems(config, items):
    if not GIVEN_URL:
        return
    local = [item for item in items if item.get_closest_marker("local")]
    items[:] = [item for item in items if not item.get_closest_marker("local")]
    config.hook.pytest_deselected(items=local)
    config.stash[DESELECTED] = sorted({item.nodeid.partition("[")[0] for item in local})


def pytest_terminal_summary(terminalreporter, config):
    names = config.stash.get(DESELECTED, [])
    if names:
        terminalreporter.section("need the local stack, not run against CHEEPER_URL")
        for name in names:
            terminalreporter.write_line(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A failing test shows the latest requests that it sent."""
    report = yield
    clients = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Client)]
    if report.failed:
        report.sections += [("the latest requests", "\n".join(client.journal)) for client in clients if client.journal]
    return report


@pytest.fixture(scope="session")
def local_stack():
    """The session's local stack."""
    with tempfile.TemporaryDirectory(prefix="cheeper-e2e-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user where the tests run as root
        with RunningStack.start(Path(folder), environment=ENVIRONMENT) as stack:
            yield stack


@pytest.fixture(scope="session")
def url(request):
    """The gateway."""
    return GIVEN_URL or request.getfixturevalue("local_stack").gateway


@pytest.fixture
async def client(url):
    """A client that hands back every answer as it is."""
    async with Client(url) as one:
        yield one


@pytest.fixture
async def patient(url):
    """A client that repeats what is unavailable, as a client of the API should."""
    async with Client(url, patience=60) as one:
        yield one


@pytest.fixture
def allowed_origin():
    """An origin of the gateway's ALLOWED_ORIGINS."""
    return os.environ.get("CHEEPER_ALLOWED_ORIGIN", ORIGIN)
