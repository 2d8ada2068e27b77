import asyncio

import pytest
import redis as redis_py
import uvloop
from read_api_layout import Hot, new_id
from redis.exceptions import ResponseError

from cheeper_local.testing import eventually
from read_api.stores.redis import reader as redis
from read_api.stores.redis.wire import MOST_WAITING, Wire


@pytest.fixture
async def wire(own_redis):
    client = redis.connect(own_redis.url)
    yield Wire(client.connection_pool)
    await client.aclose()
    await client.connection_pool.disconnect()


@pytest.fixture
def server(own_redis):
    with redis_py.Redis.from_url(own_redis.url) as client:
        yield client


def test_what_one_turn_asks_goes_out_together(own_redis, server):
    """However many ask at once on the loop that we run on, Redis reads fewer packets, from one connection."""
    texts = [str(number) for number in range(500)]

    async def counted():
        client = redis.connect(own_redis.url)
        wire = Wire(client.connection_pool)
        await wire.ask("PING")
        before = server.info("stats")
        answers = await asyncio.gather(*(wire.ask("ECHO", text) for text in texts))
        after = server.info("stats")
        await client.aclose()
        await client.connection_pool.disconnect()
        return answers, [after[name] - before[name] for name in ("total_reads_processed", "total_connections_received")]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answers, (reads, connections) = runner.run(counted())
    assert answers == [text.encode() for text in texts]
    assert reads < len(texts)
    assert connections == 0


async def test_each_has_its_own_answer(wire):
    """One that is refused, and one whose asker has gone, change nothing for the others."""
    asked = [asyncio.ensure_future(wire.ask("ECHO", str(number))) for number in range(5)]
    wrong = asyncio.ensure_future(wire.ask("NOSUCH"))
    last = asyncio.ensure_future(wire.ask("ECHO", "last"))
    await asyncio.sleep(0)
    asked[2].cancel()
    answers = await asyncio.gather(*asked, wrong, last, return_exceptions=True)
    assert answers[:2] + answers[3:5] + answers[6:] == [b"0", b"1", b"3", b"4", b"last"]
    assert isinstance(answers[2], asyncio.CancelledError)
    assert isinstance(answers[5], ResponseError)


async def test_a_lost_connection_costs_no_look_up(wire, server):
    """What was asked over a connection that the server had closed is asked again over a new one."""
    own = await wire.ask("CLIENT", "ID")
    server.client_kill_filter(_id=own)
    answers = await asyncio.gather(*(wire.ask("CLIENT", "ID") for _ in range(3)))
    assert own not in answers
    assert len(set(answers)) == 1


def test_a_connection_that_is_reset_costs_no_look_up(own_redis, server):
    """Whoever asks in the turn in which uvloop closes a connection is answered; fails where `_send` lets the
    RuntimeError of a write pass.
    """

    async def asked_each_turn():
        client = redis.connect(own_redis.url)
        wire = Wire(client.connection_pool)
        asked = []
        for _ in range(20):
            own = await wire.ask("CLIENT", "ID")
            killing = asyncio.get_running_loop().run_in_executor(
                None, lambda own=own: server.client_kill_filter(_id=own)
            )
            while not killing.done():
                asked += [asyncio.ensure_future(wire.ask("PING"))]
                await asyncio.sleep(0)
            for _ in range(50):
                asked += [asyncio.ensure_future(wire.ask("PING"))]
                await asyncio.sleep(0)
            await asyncio.wait(asked)
        await client.aclose()
        await client.connection_pool.disconnect()
        return await asyncio.gather(*asked, return_exceptions=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert set(map(repr, runner.run(asked_each_turn()))) == {repr(b"PONG")}


@pytest.fixture
async def slow_wire(own_redis, proxy_to):
    """A wire through a proxy, and the proxy."""
    proxy, url = proxy_to(own_redis.url)
    client = redis.connect(url)
    yield Wire(client.connection_pool), proxy
    await client.aclose()
    await client.connection_pool.disconnect()


async def test_what_waits_is_bounded_and_the_rest_is_refused_at_once(slow_wire):
    """While Redis does not answer so many wait and no more, those who ask beyond are told without waiting, and all is
    well when it answers again.

    Fails where `_asked` does not count.
    """
    wire, proxy = slow_wire
    await wire.ask("PING")
    with proxy.slow(stalled=True):
        asked = [asyncio.ensure_future(wire.ask("ECHO", str(number))) for number in range(MOST_WAITING + 100)]
        told, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert len(told) == 100
        assert all("wait already" in str(one.exception()) for one in told)
        await asyncio.wait(asked)
    assert {type(one.exception()) for one in asked if one not in told} == {TimeoutError}
    assert await wire.ask("PING") == b"PONG"


async def test_each_look_up_has_its_own_patience(slow_wire):
    """A Redis that answers slower than it is asked, and is never silent, lets nobody wait for longer than the patience.

    Fails where only a silence ends the wait: then all are answered, however late.
    """
    wire, proxy = slow_wire
    await wire.ask("PING")
    with proxy.slow(rate=20_000):
        asked = [asyncio.ensure_future(wire.ask("ECHO", "x" * 1_000)) for _ in range(200)]
        await asyncio.wait(asked)
    failed = [one.exception() for one in asked if one.exception()]
    assert 0 < len(failed) < len(asked)
    assert {type(error) for error in failed} == {TimeoutError}
    await eventually(lambda: not wire._waiting)  # their answers still come
    assert await wire.ask("PING") == b"PONG"


async def test_look_ups_of_different_authors_are_not_mixed_up(hot: Hot, redis_views):
    """Everybody who asks at once reads what is theirs."""
    authors = {new_id(): number for number in range(50)}
    for author, number in authors.items():
        hot.author(author, username=f"a{number}", followers=number)
    found = await asyncio.gather(*(redis_views.followers(author, after=None) for author in authors))
    assert [each.followers for each in found] == list(authors.values())


async def test_a_new_connection_brings_the_scripts(own_redis):
    """However many look up at once on a server that knows no script, none of them is refused for that."""
    client = redis.connect(own_redis.url)
    views = redis.RedisViews(client, "")
    await asyncio.gather(*(views.followers(new_id(), after=None) for _ in range(100)))
    with redis_py.Redis.from_url(own_redis.url) as server:
        stats = server.info("commandstats")
    assert (stats["cmdstat_evalsha_ro"]["calls"], stats["cmdstat_evalsha_ro"]["failed_calls"]) == (100, 0)
    await client.aclose()
    await client.connection_pool.disconnect()
