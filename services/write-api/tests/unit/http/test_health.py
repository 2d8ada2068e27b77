"""The health pages over checks that a test controls."""

import asyncio

import httpx
import pytest
from litestar import Litestar

from cheeper_contracts.http.routes import WARNING_HEADER
from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.readiness.needs import Readiness
from write_api.http.context import ContextMiddleware
from write_api.http.health import create_health_app, health_handlers, watching


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
async def page(server):
    """Requests a health page of a process that needs the server."""
    readiness, checks = Readiness(), {"server": server.check}
    transport = httpx.ASGITransport(app=create_health_app(readiness, checks, new_registry()))

    async def request(path="/health/ready"):
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            response = await client.get(path)
            return response.status_code, response.json()["data"]

    request.living = watching(readiness, checks)(None)
    return request


async def until(condition):
    """Wait for a condition, 10 s at most."""
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.01)


async def test_the_page_has_the_last_result(server, page):
    """It is "starting" before the first check, and follows what the checks find."""

    async def is_ready():
        return (await page())[0] == 200

    assert await page() == (503, {"server": {"ok": False, "why": "starting"}})
    async with page.living:
        await until(is_ready)
        server.reason = "waiting for the schema"
        await until(lambda: shows(page, server.reason))
        server.reason = None
        await until(is_ready)


async def shows(page, reason):
    return await page() == (503, {"server": {"ok": False, "why": reason}})


async def test_a_request_checks_nothing_and_waits_for_nothing(server, page):
    """However many request the page, and while a check hangs, the response is the last result at once."""
    server.hangs = True
    async with page.living:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        responses = await asyncio.gather(*(page() for _ in range(100)))
        assert {status for status, _ in responses} == {503}
        assert server.checks <= 1
        assert (await page("/health/live"))[0] == 200


async def test_a_warning_is_shown_and_does_not_make_the_process_unready():
    """The page names it, and a header informs the gateway, while the status stays that of the process's own needs."""
    readiness, warnings = Readiness("server"), Readiness("events")
    app = ContextMiddleware(Litestar(health_handlers(readiness, warnings), openapi_config=None))
    readiness.ok("server")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        warnings.failed("events", "are not sent")
        response = await client.get("/health/ready")
        assert (response.status_code, response.headers[WARNING_HEADER]) == (200, "events")
        assert response.json()["data"]["events"] == {"ok": False, "why": "are not sent"}
        warnings.ok("events")
        assert WARNING_HEADER not in (await client.get("/health/ready")).headers
