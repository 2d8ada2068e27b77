"""The stack that the end-to-end suite runs against.

--stack=local (the default) starts the processes, --stack=containers starts docker-compose.yaml with testcontainers, and
--url=http://… uses a stack that is running. One stack serves the session, all workers of `-n` included; it starts after
the collection, so that no test's time-out covers its start.

--auth=tokens (or the variable AUTH) starts the local stack in that mode, and each client sends tokens of the authors
whose requests it sends. Tests whose requests are not these clients', or whose stack is their own, are deselected then.

A test marked `local` needs the local stack (its servers' URLs, stopping and killing) and is deselected with another
one; the summary names it. A test marked `disturbs` stops or kills parts of the shared stack and runs alone on it.
"""

import fcntl
import os
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cheeper_e2e.http.callers import AUTH, Callers, callers_of
from cheeper_e2e.http.client import Client
from cheeper_e2e.stack.stacks import ORIGIN, container_stack
from cheeper_e2e.stack.stacks import local_stack as start_local_stack
from cheeper_local.errors import LocalError
from cheeper_local.running import RunningStack

RUNNING = pytest.StashKey[ExitStack]()
SHARED = pytest.StashKey[dict[str, str]]()
DESELECTED = pytest.StashKey[list[str]]()

FOLDERS = [Path(__file__).parent / name for name in ("e2e", "prove", "browser")]
"""The folders of the tests that use a stack."""
FIXTURES = {"url", "local_stack"}
SIGNING = {"client", "patient", "callers"}
"""The fixtures with which a test sends requests as their authors."""


def pytest_addoption(parser):
    group = parser.getgroup("cheeper")
    group.addoption("--stack", choices=("local", "containers"), default="local", help="what to start for the suite")
    mode = os.environ.get(AUTH) or "open"
    group.addoption("--auth", choices=("open", "tokens"), default=mode, help="the mode of the local stack")
    group.addoption("--url", help="the gateway of a running stack to use instead")


def pytest_configure(config):
    config.addinivalue_line("markers", "local: needs the local stack; deselected with another one")
    config.addinivalue_line("markers", "disturbs: stops or kills parts of the shared stack, and runs alone on it")
    if given := getattr(config, "workerinput", {}).get("stack"):
        config.stash[SHARED] = given


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """With xdist the controller starts the stack, before its first worker. It collects nothing, so the paths decide."""
    selected = [Path(node.config.invocation_params.dir, arg.partition("::")[0]) for arg in node.config.args]
    if any(path.is_relative_to(folder) or folder.is_relative_to(path) for path in selected for folder in FOLDERS):
        node.workerinput["stack"] = shared(node.config)


def pytest_collection_finish(session):
    """Without xdist the stack starts once a selected test needs it."""
    if any(map(uses_stack, session.items)) and not session.config.option.collectonly:
        shared(session.config)


def uses_stack(item):
    """Check that a test uses the shared stack: a test elsewhere may have parameters of the same names."""
    return not FIXTURES.isdisjoint(item.fixturenames) and any(item.path.is_relative_to(each) for each in FOLDERS)


def shows_tokens(item):
    """Check that a test sends requests with tokens to the shared stack if that takes them."""
    return uses_stack(item) and not SIGNING.isdisjoint(item.fixturenames)


def shared(config):
    """Return what locates the session's stack, started if it is not: its `url`, and the `folder` of a local one."""
    if SHARED not in config.stash:
        try:
            config.stash[SHARED] = _start(config, config.stash.setdefault(RUNNING, ExitStack()))
        except LocalError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.TESTS_FAILED)
    return config.stash[SHARED]


def _start(config, running):
    lock = running.enter_context(tempfile.TemporaryDirectory(prefix="cheeper-e2e-"))
    if config.option.url:
        return {"url": config.option.url, "lock": lock}
    if config.option.stack == "containers":
        return {"url": running.enter_context(container_stack()), "lock": lock}
    callers, mode = running.enter_context(callers_of(config.option.auth))
    stack = running.enter_context(start_local_stack(mode))
    issuer = {} if callers is None else {"issuer": str(callers.folder)}
    return {"url": stack.gateway, "folder": str(stack.logs.parent), "lock": lock, **issuer}


def pytest_unconfigure(config):
    config.stash.get(RUNNING, ExitStack()).close()


def pytest_collection_modifyitems(config, items):
    if config.option.auth == "tokens":
        same = [item for item in items if not shows_tokens(item)]
        items[:] = [item for item in items if shows_tokens(item)]
        config.hook.pytest_deselected(items=same)
    if config.option.stack == "local" and not config.option.url:
        return
    local = [item for item in items if item.get_closest_marker("local")]
    items[:] = [item for item in items if not item.get_closest_marker("local")]
    config.hook.pytest_deselected(items=local)
    config.stash[DESELECTED] = sorted({item.nodeid.partition("[")[0] for item in local})


def pytest_terminal_summary(terminalreporter, config):
    names = config.stash.get(DESELECTED, [])
    if names:
        terminalreporter.section("not run, because they need the local stack")
        for name in names:
            terminalreporter.write_line(name)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """Keep a test that disturbs the shared stack apart from those of the other workers that use it."""
    if not uses_stack(item):
        return (yield)
    with _locked(shared(item.config)["lock"], exclusive=item.get_closest_marker("disturbs") is not None):
        return (yield)


@contextmanager
def _locked(folder, *, exclusive):
    # Everybody passes by the gate, so that readers who come later do not starve one who waits to be alone.
    with Path(folder, "lock").open("w") as lock, Path(folder, "gate").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(lock, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A failing test shows the latest requests that it sent."""
    report = yield
    clients = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Client)]
    if report.failed:
        report.sections += [("the latest requests", "\n".join(client.journal)) for client in clients if client.journal]
    return report


@pytest.fixture(scope="session")
def local_stack(pytestconfig):
    """The handle of the session's local stack."""
    return RunningStack.of(Path(shared(pytestconfig)["folder"]))


@pytest.fixture(scope="session")
def url(pytestconfig):
    """The gateway."""
    return shared(pytestconfig)["url"]


@pytest.fixture(scope="session")
def callers(pytestconfig):
    """The callers who sign requests, or None in the open mode."""
    issuer = shared(pytestconfig).get("issuer")
    return None if issuer is None else Callers(Path(issuer))


@pytest.fixture
async def client(url, callers):
    """A client that hands back every reply as it is."""
    async with Client(url, callers=callers) as one:
        yield one


@pytest.fixture
async def patient(url, callers):
    """A client that repeats what is unavailable, as a client of the API should."""
    async with Client(url, patience=60, callers=callers) as one:
        yield one


@pytest.fixture
def allowed_origin():
    """An origin of the gateway's ALLOWED_ORIGINS; CHEEPER_ALLOWED_ORIGIN names the one of a stack given by --url."""
    return os.environ.get("CHEEPER_ALLOWED_ORIGIN", ORIGIN)
