"""The primary of a MongoDB of three is killed or frozen while documents are written and read without pause."""

import asyncio
import sys
import uuid
from contextlib import suppress

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from cheeper_contracts import views
from cheeper_local.testing import eventually
from cheeper_local.testing.replicated import HOW, Availability
from read_api.query_bus.query import StoreUnavailableError
from read_api.stores.mongo import reader as mongo

pytestmark = [pytest.mark.extended, pytest.mark.proves(guarantee="failovers"), pytest.mark.takes(seconds=15)]

AUTHOR = "00000000-0000-7000-8000-000000000001"
PAUSE = 0.02


class Writer:
    """Writes one number after another with the record of its command, as the projector does: in one transaction."""

    def __init__(self, url, database):
        self.acknowledged, self.available, self.stopped = 0, Availability(), False
        self._client = AsyncMongoClient(url, serverSelectionTimeoutMS=2_000, socketTimeoutMS=5_000)
        self._database = self._client[database]

    async def run(self):
        number = 0
        while not self.stopped:
            number += 1
            with suppress(PyMongoError):
                await self._write(number)
                self.acknowledged = number
                self.available.succeeded()
            await asyncio.sleep(PAUSE)

    async def _write(self, number):
        majority = WriteConcern("majority")
        authors, commands = (self._database[each.name] for each in (views.AUTHORS, views.COMMANDS))
        async with (
            self._client.start_session() as session,
            await session.start_transaction(ReadConcern("snapshot"), majority),
        ):
            await authors.update_one({"_id": AUTHOR}, {"$set": {"number": number}}, upsert=True, session=session)
            await commands.insert_one({"_id": str(number)}, session=session)

    async def close(self):
        await self._client.close()


class Queries:
    """Reads the number after the last acknowledged command. Any error but an unavailable store fails the test."""

    def __init__(self, url, database, writer):
        self.available, self.stopped = Availability(), False
        self._client = mongo.connect(url)
        self._reader = mongo.Reader(self._client, database)
        self._writer = writer

    async def run(self):
        while not self.stopped:
            after = self._writer.acknowledged
            with suppress(StoreUnavailableError):
                found = await self._reader.one(views.AUTHORS, {"_id": AUTHOR}, after=str(after))
                if found.settled:
                    assert found.data["number"] >= after
                    self.available.succeeded()
            await asyncio.sleep(PAUSE)

    async def close(self):
        await self._client.close()


@pytest.mark.parametrize("how", HOW)
async def test_queries_follow_another_primary(mongo_set, how, capsys):
    """A query fails only as unavailable, and succeeds again by itself; with `after` it never shows less than what was
    acknowledged, also once the old primary has returned.

    Broken by a read that needs no majority, and by an error of an election that counts as a defect.
    """
    await asyncio.to_thread(mongo_set.wait_whole)
    database = f"t{uuid.uuid4().hex}"
    writer = Writer(mongo_set.url, database)
    queries = Queries(mongo_set.url, database, writer)
    tasks = [asyncio.create_task(each.run()) for each in (writer, queries)]

    async def work_for_a_while():
        before = writer.available.successes, queries.available.successes

        def enough():
            now = writer.available.successes, queries.available.successes
            return any(task.done() for task in tasks) or all(n >= b + 20 for n, b in zip(now, before, strict=True))

        await eventually(enough)
        assert not any(task.done() for task in tasks), [task.exception() for task in tasks if task.done()]

    try:
        await work_for_a_while()
        primary = await asyncio.to_thread(mongo_set.primary)
        with mongo_set.failed(primary, how):
            await work_for_a_while()
        await asyncio.to_thread(mongo_set.wait_whole)
        await work_for_a_while()
    finally:
        writer.stopped = queries.stopped = True  # pymongo may never return from a transaction that is cancelled
        await asyncio.gather(*tasks, return_exceptions=True)
        await writer.close()
        await queries.close()
    with capsys.disabled():
        pauses = [each.available.longest_pause for each in (writer, queries)]
        sys.stdout.write("\nprimary {}: no write for {:.1f} s, no read for {:.1f} s\n".format(how, *pauses))
