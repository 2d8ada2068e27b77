"""The HTTP role past its limits: it refuses what it cannot do in time, and overload does not make it unready."""

import asyncio
import uuid

import msgspec
import psycopg

from cheeper_contracts.http import routes
from cheeper_local.testing import eventually

CLIENTS = 25
GONE = 10


def sign_up(client, number, key):
    body = {"username": f"author{number}", "email": f"author{number}@example.com"}
    return client.post("/author", json=body, headers={"Idempotency-Key": key})


async def test_overload_is_not_unreadiness(settings, serving):
    """With the database held up, commands that cannot begin in time are refused as overloaded and have done nothing;
    those that need no database are accepted, and the health page is 200 all the while.
    """
    seen, keys = [], [str(uuid.uuid4()) for _ in range(CLIENTS)]

    async def is_ready(client):
        seen.append((await client.get(routes.HEALTH_READY)).status_code)
        return seen[-1] == 200

    async def watch(client):
        while True:
            await is_ready(client)
            await asyncio.sleep(0.05)

    async with serving(msgspec.structs.replace(settings, database_commands=2)) as client:
        await eventually(lambda: is_ready(client))
        seen.clear()
        watching = asyncio.create_task(watch(client))
        async with await psycopg.AsyncConnection.connect(settings.database_url) as holding:
            await holding.execute("LOCK TABLE authors IN ACCESS EXCLUSIVE MODE")
            requests = [asyncio.create_task(sign_up(client, *each)) for each in enumerate(keys)]
            await hang_up(client.base_url)
            done, _ = await asyncio.wait(requests, timeout=60, return_when=asyncio.FIRST_COMPLETED)
            assert {one.result().json()["data"]["code"] for one in done} == {"overloaded"}
            post = {"author_id": str(uuid.uuid4()), "message": "Hello"}
            assert (await client.post("/cheep", json=post)).status_code == 202
        responses = await asyncio.gather(*requests)
        for response in responses:
            if response.status_code == 503:
                assert response.json()["data"]["code"] in {"overloaded", "unavailable"}
                assert response.headers["retry-after"] == "1"
        refused = [number for number, one in enumerate(responses) if one.json()["data"].get("code") == "overloaded"]
        assert len(refused) >= CLIENTS - 2 - GONE
        for number in refused:  # under another key: the first request has left no trace
            assert (await sign_up(client, number, str(uuid.uuid4()))).status_code == 201
        watching.cancel()
        page = (await client.get(routes.METRICS)).text
    assert 'cheeper_write_api_limit_in_flight{limit="database"} 0.0' in page
    assert set(seen) == {200}


async def hang_up(url):
    """Send some sign-ups, and close their connections without waiting for a response."""
    for number in range(GONE):
        _, writer = await asyncio.open_connection(url.host, url.port)
        body = f'{{"username": "gone{number}", "email": "gone{number}@example.com"}}'
        head = (
            f"POST /author HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write((head + body).encode())
        await writer.drain()
        writer.close()
