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
    those that need no database are accepted, and the process stays ready.
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
            await eventually(lambda: sum(one.done() for one in requests) >= CLIENTS - 2)
            await eventually(lambda: is_ready(client))
            post = {"author_id": str(uuid.uuid4()), "message": "Hello"}
            assert (await client.post("/cheep", json=post)).status_code == 202
        responses = await asyncio.gather(*requests)
        codes = [one.json()["data"].get("code") for one in responses]
        assert set(codes) <= {None, "unavailable", "overloaded"}
        assert all(one.headers["retry-after"] == "1" for one in responses if one.status_code == 503)
        refused = [number for number, code in enumerate(codes) if code == "overloaded"]
        assert len(refused) >= CLIENTS // 2
        await eventually(lambda: nothing_is_in_flight(client))
        for number in refused:  # under another key: the first request has left no trace
            assert (await sign_up(client, number, str(uuid.uuid4()))).status_code == 201
        watching.cancel()
    assert seen.count(200) > len(seen) / 2  # a machine that is slow beyond a check's time-out may fail some


async def nothing_is_in_flight(client):
    return 'cheeper_write_api_limit_in_flight{limit="database"} 0.0' in (await client.get(routes.METRICS)).text


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
