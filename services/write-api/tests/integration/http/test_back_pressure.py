"""The HTTP role with a worker that is stopped: what it accepts is handled soon, so it accepts no more than that."""

import asyncio

import msgspec

from cheeper_contracts.http import routes
from cheeper_local.testing import eventually

LAG_MAX = 2


async def test_a_stopped_worker_has_a_bounded_lag(settings, serving, consumers):
    """Asynchronous commands are refused once the lag is over its bound, synchronous ones are not, the process stays
    ready, and a worker that catches up lets commands in again.
    """
    statuses = []

    async def post(client):
        body = {"author_id": consumers.authors[0], "message": "Hello"}
        response = await client.post("/cheep", json=body)
        statuses.append(response.status_code)
        return response

    async def is_refused(client):
        response = await post(client)
        return response if response.status_code == 503 else None

    async def is_accepted(client):
        return (await post(client)).status_code == 202

    async with serving(msgspec.structs.replace(settings, worker_lag_max=LAG_MAX)) as client:
        refusal = await eventually(lambda: is_refused(client))
        assert (refusal.json()["data"]["code"], refusal.headers["retry-after"]) == ("overloaded", "1")
        accepted = statuses.count(202)
        assert accepted > LAG_MAX
        sync = await client.post("/author", json={"username": "late", "email": "late@example.com"})
        assert sync.status_code == 201
        await eventually(lambda: is_ready(client))
        page = (await client.get(routes.METRICS)).text
        assert f"cheeper_write_api_worker_lag_messages {accepted}.0" in page
        assert "cheeper_write_api_back_pressure_refused_total 1.0" in page
        await consumers.worker().run(asyncio.Event(), accepted)
        await eventually(lambda: is_accepted(client))
    ((posted,),) = await consumers.rows("SELECT count(*) FROM cheeps")
    assert posted == accepted  # a refused command has left nothing


async def is_ready(client):
    return (await client.get(routes.HEALTH_READY)).status_code == 200
