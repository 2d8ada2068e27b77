"""Hints to the relay go out after commits, few at a time, and losing one does no harm."""

import asyncio

import psycopg

from write_api.db.engine import create_engine
from write_api.db.hints import Hints
from write_api.outbox.writer import CHANNEL


async def test_many_wakes_are_few_hints(engine, postgres_url):
    """A listener hears at least one after the last wake, and not one for each."""
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as listener:
        await listener.execute(f"LISTEN {CHANNEL}")
        hints = Hints(engine)
        for _ in range(50):
            hints.wake()
        await hints.close()
        heard = [notice.channel async for notice in listener.notifies(timeout=2, stop_after=1)]
    assert heard == [CHANNEL]


async def test_a_lost_hint_is_no_error():
    """The caller has committed already and hears nothing of it."""
    engine = create_engine("postgresql://u:p@127.0.0.1:1/d", application_name="test")
    hints = Hints(engine)
    hints.wake()
    await asyncio.wait_for(hints.close(), 60)
    await engine.dispose()
