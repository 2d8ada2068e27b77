import asyncio

import pytest
import redis as redis_py
import uvloop
from read_api_layout import Hot, new_id
from redis.exceptions import ResponseError

from cheeper_local.testing import eventually
from read_api.stores.redis import reader as redis
from read_api.stores.redis.connection import MAX_IN_FLIGHT, Connection


@pytest.fixture
async def connection(own_redis):
    client = redis.connect(own_redis.url)
    made = Connection(client.connection_pool)
    yield made
    made.close()


@pytest.fixture
def server(own_redis):
    with redis_py.Redis.from_url(own_redis.url) as client:
        yield client


def test_commands_of_one_turn_are_sent_together(own_redis, server):
    """Commands of one turn of the loop reach Redis in fewer packets, over one connection."""
    texts = [str(number) for number in range(500)]

    async def counted():
        client = redis.connect(own_redis.url)
        connection = Connection(client.connection_pool)
        await connection.execute("PING")
        before = server.info("stats")
        replies = await asyncio.gather(*(connection.execute("ECHO", text) for text in texts))
        after = server.info("stats")
        connection.close()
        return replies, [after[name] - before[name] for name in ("total_reads_processed", "total_connections_received")]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        replies, (reads, connections) = runner.run(counted())
    assert replies == [text.encode() for text in texts]
    assert reads < len(texts)
    assert connections == 0


async def test_each_command_gets_its_own_reply(connection):
    """An error reply and a cancelled command do not affect the others."""
    asked = [asyncio.ensure_future(connection.execute("ECHO", str(number))) for number in range(5)]
    wrong = asyncio.ensure_future(connection.execute("NOSUCH"))
    last = asyncio.ensure_future(connection.execute("ECHO", "last"))
    await asyncio.sleep(0)
    asked[2].cancel()
    replies = await asyncio.gather(*asked, wrong, last, return_exceptions=True)
    assert replies[:2] + replies[3:5] + replies[6:] == [b"0", b"1", b"3", b"4", b"last"]
    assert isinstance(replies[2], asyncio.CancelledError)
    assert isinstance(replies[5], ResponseError)


async def test_a_lost_connection_costs_no_look_up(connection, server):
    """Commands sent over a connection that the server had closed are sent again over a new one."""
    own = await connection.execute("CLIENT", "ID")
    server.client_kill_filter(_id=own)
    replies = await asyncio.gather(*(connection.execute("CLIENT", "ID") for _ in range(3)))
    assert own not in replies
    assert len(set(replies)) == 1


def test_a_connection_that_is_reset_costs_no_look_up(own_redis, server):
    """A command sent in the turn in which uvloop closes a connection gets its reply; fails where `_write` lets
    the RuntimeError pass.
    """

    async def asked_each_turn():
        client = redis.connect(own_redis.url)
        connection = Connection(client.connection_pool)
        asked = []
        for _ in range(20):
            own = await connection.execute("CLIENT", "ID")
            killing = asyncio.get_running_loop().run_in_executor(
                None, lambda own=own: server.client_kill_filter(_id=own)
            )
            while not killing.done():
                asked += [asyncio.ensure_future(connection.execute("PING"))]
                await asyncio.sleep(0)
            for _ in range(50):
                asked += [asyncio.ensure_future(connection.execute("PING"))]
                await asyncio.sleep(0)
            await asyncio.wait(asked)
        connection.close()
        return await asyncio.gather(*asked, return_exceptions=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert set(map(repr, runner.run(asked_each_turn()))) == {repr(b"PONG")}


@pytest.fixture
async def slow_connection(own_redis, proxy_to):
    """Return a connection through a proxy, and the proxy."""
    proxy, url = proxy_to(own_redis.url)
    client = redis.connect(url)
    made = Connection(client.connection_pool)
    yield made, proxy
    made.close()


async def test_commands_in_flight_are_bounded(slow_connection):
    """While Redis does not reply, a bounded number of commands is in flight and further ones fail at once; all works
    again once it replies.
    """
    connection, proxy = slow_connection
    await connection.execute("PING")
    with proxy.slow(stalled=True):
        asked = [
            asyncio.ensure_future(connection.execute("ECHO", str(number))) for number in range(MAX_IN_FLIGHT + 100)
        ]
        refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert len(refused) == 100
        assert all("in flight already" in str(one.exception()) for one in refused)
        await asyncio.wait(asked)
    assert {type(one.exception()) for one in asked if one not in refused} == {TimeoutError}
    assert await connection.execute("PING") == b"PONG"


async def test_each_command_has_its_own_timeout(slow_connection):
    """No command waits longer than its timeout on a Redis that is slow but never silent."""
    connection, proxy = slow_connection
    await connection.execute("PING")
    with proxy.slow(rate=20_000):
        asked = [asyncio.ensure_future(connection.execute("ECHO", "x" * 1_000)) for _ in range(200)]
        await asyncio.wait(asked)
    failed = [one.exception() for one in asked if one.exception()]
    assert 0 < len(failed) < len(asked)
    assert {type(error) for error in failed} == {TimeoutError}
    await eventually(lambda: not connection._session._in_flight)  # their replies still come
    assert await connection.execute("PING") == b"PONG"


async def test_look_ups_of_different_authors_are_not_mixed_up(hot: Hot, redis_views):
    """Concurrent look-ups each get their own data."""
    authors = {new_id(): number for number in range(50)}
    for author, number in authors.items():
        hot.author(author, username=f"a{number}", followers=number)
    found = await asyncio.gather(*(redis_views.followers(author, after=None) for author in authors))
    assert [each.data.number_of_followers for each in found] == list(authors.values())


async def test_a_new_connection_loads_the_scripts(own_redis):
    """Concurrent look-ups on a server without any script all succeed at the first attempt."""
    client = redis.connect(own_redis.url)
    views = redis.RedisViews(client, "")
    await asyncio.gather(*(views.followers(new_id(), after=None) for _ in range(100)))
    with redis_py.Redis.from_url(own_redis.url) as server:
        stats = server.info("commandstats")
    assert (stats["cmdstat_evalsha_ro"]["calls"], stats["cmdstat_evalsha_ro"]["failed_calls"]) == (100, 0)
    views.close()
