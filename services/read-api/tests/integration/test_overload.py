"""A whole read-api past its limits: it refuses what it cannot serve in time, and overload does not make it unready."""

import asyncio
import re

import httpx
import pytest
from read_api_layout import new_id
from read_api_process import running

from cheeper_local.testing import eventually, until

WAITS = 400
CLIENTS = 600
RESPONSE = re.compile(rb"HTTP/1.1 (\d{3}).*?\r\n\r\n(.*)", re.DOTALL)


@pytest.fixture
def crowded(stores, tmp_path):
    """The address of a read-api that takes few waits at once and, of MongoDB, one look-up at a time."""
    limits = {"AFTER_WAITS": str(WAITS), "MONGO_QUERIES": "1"}
    with running(tmp_path / "log", **stores, **limits) as (client, _):
        until(lambda: client.get("/health/ready").status_code == 200)
        yield client.base_url


async def request(url, path):
    """Send a request over a connection of its own. Return the connection."""
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
    return reader, writer


async def response(connection):
    """Return the status of the response, with the headers and the body."""
    reader, writer = connection
    found = RESPONSE.fullmatch(received := await reader.read())
    writer.close()
    return int(found[1]), received.decode()


async def test_overload_is_not_unreadiness(crowded):
    """With more waits than are taken, and clients that hang up, each request gets a response or is refused as
    overloaded, other queries are served meanwhile, and the health page is 200 all the while.
    """
    waits = [f"/author/{new_id()}/timeline?after={new_id()}&timeout=4" for _ in range(CLIENTS)]
    seen = []
    async with httpx.AsyncClient(base_url=crowded, timeout=60) as client:

        async def watch():
            while True:
                seen.append((await client.get("/health/ready")).status_code)
                await asyncio.sleep(0.05)

        async def metric(name):
            page = (await client.get("/metrics")).text
            return float(re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)[1])

        async def all_wait():
            return await metric('cheeper_read_api_limit_in_flight{limit="waits"}') == WAITS

        watching = asyncio.create_task(watch())
        connections = await asyncio.gather(*(request(crowded, path) for path in waits))
        await eventually(all_wait)
        for _ in range(10):  # clients that hang up while their look-ups are in the queue
            (_, writer) = await request(crowded, f"/search?q=word{new_id()[:4]}")
            writer.close()
        assert (await client.get(f"/author/{new_id()}/timeline")).status_code == 200
        assert (await client.get(f"/author/{new_id()}")).status_code == 404
        responses = await asyncio.gather(*map(response, connections))
        watching.cancel()
        refused = [text for status, text in responses if status == 503]
        assert len(refused) >= CLIENTS - WAITS
        assert all('"code":"overloaded"' in text and "retry-after: 1" in text for text in refused)
        stale = [text for status, text in responses if status == 200]
        assert len(stale) + len(refused) == CLIENTS
        assert all('"stale":true' in text for text in stale)
        assert await metric('cheeper_read_api_limit_refused_total{limit="waits"}') >= CLIENTS - WAITS
    assert set(seen) == {200}
