"""The health pages and the lifespan of the application, over checks that a test controls."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest

from cheeper_runtime.concurrency.metrics import LimitsCollector
from cheeper_runtime.metrics.http import MeteredApp
from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.rate_limits.callers import LOOPBACK, Callers
from identity.http.app import create_app
from identity.http.metrics import DECLARED, HTTP, LIMITS
from identity.testing import MemoryStore

UNREADY, READY = 503, 200


class Server:
    """A server that a check requests: it has a reason, or none, or it hangs."""

    def __init__(self):
        self.reason, self.checks, self.hangs = None, 0, False

    async def check(self):
        self.checks += 1
        if self.hangs:
            await asyncio.Event().wait()
        return self.reason


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def new(new_service):
    """The use cases over a store without a key, before any process has started."""
    return new_service(MemoryStore())


@pytest.fixture
def registry():
    return new_registry()


@pytest.fixture
def app(new, server, registry):
    async def keys():
        return None if new.keyring.has_keys else "no signing key is known yet"

    return create_app(
        accounts=new.accounts,
        sessions=new.sessions,
        external=new.external,
        keyring=new.keyring,
        issuer="https://cheeper.example.org",
        callers=Callers(LOOPBACK, b"x-client-address"),
        checks={"postgres": server.check, "keys": keys},
        registry=registry,
    )


@asynccontextmanager
async def living(app):
    """The application between start-up and shutdown, as a server runs it."""
    received, sent = asyncio.Queue(), asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    running = asyncio.create_task(app(scope, received.get, sent.put))
    await received.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    yield
    await received.put({"type": "lifespan.shutdown"})
    assert (await sent.get())["type"] == "lifespan.shutdown.complete"
    await running


async def page(app, path="/health/ready"):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        return await client.get(path)


async def until(app, status):
    """Wait for the status of readiness, 10 s at most."""
    async with asyncio.timeout(10):
        while (found := await page(app)).status_code != status:  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.01)
    return found.json()["data"]


async def test_the_page_has_the_last_result(app, server):
    """It is "starting" before the first check, ready once each need is met, and follows what the checks find."""
    before = await page(app)
    assert (before.status_code, set(before.json()["data"])) == (UNREADY, {"postgres", "keys"})
    assert before.headers["Retry-After"] == "1"
    async with living(app):
        await until(app, READY)
        server.reason = "waiting for identity migrate"
        assert (await until(app, UNREADY))["postgres"] == {"ok": False, "why": "waiting for identity migrate"}
        server.reason = None
        await until(app, READY)


async def test_a_process_makes_the_first_key_when_it_starts(app, new):
    """Without a key nobody can sign in, so the process is ready once it has one, which it publishes then."""
    assert (await page(app, "/.well-known/jwks.json")).json() == {"keys": []}
    async with living(app):
        await until(app, READY)
        assert len((await page(app, "/.well-known/jwks.json")).json()["keys"]) == 1
    assert len(new.store.state.keys) == 1


async def test_the_work_beside_the_requests_ends_with_the_process(app):
    """After shutdown no task is left, so nothing is checked any more."""
    before = asyncio.all_tasks()
    async with living(app):
        await until(app, READY)
    async with asyncio.timeout(10):
        while asyncio.all_tasks() - before:  # noqa: ASYNC110 - tasks of others have no event
            await asyncio.sleep(0.01)


async def test_a_request_checks_nothing_and_waits_for_nothing(app, server):
    """However many request the page, and while a check hangs, the response is the last result at once."""
    server.hangs = True
    async with living(app):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        responses = await asyncio.gather(*(page(app) for _ in range(20)))
        assert {response.status_code for response in responses} == {UNREADY}
        assert server.checks <= 1
        assert (await page(app, "/health/live")).status_code == READY


async def test_metrics_are_in_the_text_format(app):
    """The page of metrics is Prometheus's, and no response in the form of the API."""
    found = await page(app, "/metrics")
    assert found.status_code == READY
    assert found.headers["Content-Type"].startswith("text/plain")
    assert "process_cpu_seconds_total" in found.text


async def test_metrics_tell_how_requests_end_and_whether_the_process_is_ready(app, registry):
    """A request counts by its route and status, one of an unknown path as `none`; each need is 1 while met."""
    metered = MeteredApp(app, HTTP, registry)
    async with living(app):
        await until(app, READY)
        await page(metered, "/.well-known/jwks.json")
        await page(metered, "/nowhere")
        text = (await page(metered, "/metrics")).text
    keys = 'route="/.well-known/jwks.json",status="200"'
    assert f'cheeper_identity_http_requests_total{{method="GET",{keys}}} 1.0' in text
    assert 'cheeper_identity_http_requests_total{method="GET",route="none",status="404"} 1.0' in text
    assert 'cheeper_identity_http_request_duration_seconds_count{method="GET",route="none"} 1.0' in text
    assert 'cheeper_identity_ready{need="postgres"} 1.0' in text
    assert "cheeper_identity_event_loop_delay_seconds_bucket" in text


async def test_each_declared_metric_is_on_the_page(app, registry):
    """The page has what docs/metrics.md lists of this service."""
    registry.register(LimitsCollector(LIMITS, []))
    text = (await page(MeteredApp(app, HTTP, registry), "/metrics")).text
    on_page = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE cheeper_")}
    assert on_page == {each.name for each in DECLARED}
