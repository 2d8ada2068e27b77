"""A thousand readers who wait with `after` on one process: what they cost is counted in the real stores."""

from __future__ import annotations

import asyncio
import time

import httpx
import msgspec
import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families
from read_api_layout import Documents, Hot, command_record, new_id
from read_api_process import running

from cheeper_contracts import views
from cheeper_local.testing import eventually
from read_api.ops import metrics
from read_api.query_bus.read_your_writes import BATCH_SIZE, SHORTEST_PAUSE_SECONDS

pytestmark = [pytest.mark.proves(guarantee="read-your-writes"), pytest.mark.takes(seconds=15)]

READERS = 1_000
PROFILE_BYTES = 64 * 2**20


class InRedis:
    """The counter: each look at it reads one hash, and each look-up of any kind is one EVALSHA_RO."""

    path = "/author/{}/followers-counter"

    def __init__(self, hot: Hot) -> None:
        self._hot = hot

    def lay(self, author):
        self._hot.author(author, username="bob", followers=3)
        self._hot.client.config_resetstat()

    def settle(self, message_ids, author):
        for message_id in message_ids:
            self._hot.command(message_id, key=author, sequence=1)

    def counted(self):
        """Look-ups of data, and those of records alone."""
        stats = self._hot.client.info("commandstats")
        data = stats["cmdstat_hmget"]["calls"]
        return data, stats["cmdstat_evalsha_ro"]["calls"] - data


class InMongo:
    """An author: the profiler writes down each command that the server runs."""

    path = "/author/{}"

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._database = documents.database

    def lay(self, author):
        self._documents.sign_up(author)
        self._database.command("create", "system.profile", capped=True, size=PROFILE_BYTES)
        self._database.command("profile", 2)

    def settle(self, message_ids, author):
        for message_id in message_ids:
            self._documents.command(command_record(message_id, key=author, sequence=1))

    def counted(self):
        """The same."""
        self._database.command("profile", 0)
        asked = self._database["system.profile"]
        return tuple(
            asked.count_documents({"appName": "read-api", "command.aggregate": collection.name})
            for collection in (views.AUTHORS, views.COMMANDS)
        )


@pytest.mark.parametrize(("view", "commands"), [(InRedis, 1), (InRedis, READERS), (InMongo, READERS)])
@pytest.mark.extended
async def test_a_thousand_readers_cost_the_store_one_poll_a_round(
    own_redis, documents, mongo_url, mongo_database, tmp_path, view, commands
):
    """Each reader looks before its wait and once after it. All looks in between are the loop's: at most one for each
    250 commands in a round, however many wait, and no more rounds than there are pauses in the time that passed.
    """
    stores = {
        "REDIS_URL": own_redis.url,
        "REDIS_PREFIX": "many:",
        "MONGO_URL": mongo_url,
        "MONGO_DATABASE": mongo_database,
    }
    ids, author = [new_id() for _ in range(commands)], new_id()
    with redis.Redis.from_url(own_redis.url) as client, running(tmp_path / "log", **stores) as (api, _):
        store = view(Hot(client, "many:") if view is InRedis else documents)
        store.lay(author)
        began, path = time.monotonic(), view.path.format(author)
        readers = [asyncio.create_task(read(api.base_url, path, ids[number % commands])) for number in range(READERS)]
        async with httpx.AsyncClient(base_url=api.base_url, timeout=60) as scraping:

            async def all_have_waited():
                return await waits(scraping) >= READERS

            await eventually(all_have_waited, 300, what="all wait, or did and ask again")
        await asyncio.to_thread(store.settle, ids, author)
        results = await asyncio.gather(*readers)
        rounds = (time.monotonic() - began) / SHORTEST_PAUSE_SECONDS
        data, looks = store.counted()
    stale, refused = (sum(each) for each in zip(*results, strict=True))
    asked = READERS + stale
    assert READERS + asked <= data <= 2 * (asked + refused)  # who asks again may find it settled at the first look
    assert 0 < looks <= rounds * -(-commands // BATCH_SIZE)
    assert commands > 1 or looks < READERS


async def waits(client):
    """Return the number of current and ended waits."""
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    names = {metrics.WAITING.name, metrics.WAITS.name}
    return sum(sample.value for family in families for sample in family.samples if sample.name in names)


async def read(url, path, message_id):
    """Request until a response is not stale. Return how many were, and how often the store was too busy (503)."""
    stale = refused = 0
    while True:
        reader, writer = await asyncio.open_connection(url.host, url.port)
        request = f"GET {path}?after={message_id}&timeout=10 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        status = int(head.split()[1])
        assert status in {200, 503}, head
        if status != 200:
            refused += 1
        elif msgspec.json.decode(body)["meta"].get("stale"):
            stale += 1
        else:
            return stale, refused
