import asyncio

import pytest

from read_api.queries.search import SearchQuery, search_request
from read_api.stores.mongo import search
from read_api.stores.mongo.search import MongoSearch


class HangingReader:
    """A reader whose server never responds."""

    def __init__(self):
        self.began = asyncio.Event()

    async def first(self, _collection, _pipeline, *, after):
        assert after is None
        self.began.set()
        await asyncio.Event().wait()


async def test_a_cancelled_search_ends_when_the_server_has_noticed(monkeypatch):
    """A search keeps its place until the server has ended its operation, so that clients who come and go start no more
    operations than there are places.
    """
    noticed = asyncio.Event()

    async def sleep(seconds):
        assert seconds == search.NOTICED_SECONDS
        await noticed.wait()

    reader = HangingReader()
    task = asyncio.create_task(
        MongoSearch(reader).cheeps(search_request(SearchQuery(q="hello")), author_id=None, after=None)
    )
    await reader.began.wait()
    monkeypatch.setattr(search, "sleep", sleep)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=0.01)
    assert not done
    noticed.set()
    with pytest.raises(asyncio.CancelledError):
        await task
