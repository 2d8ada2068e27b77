"""One case on one connection, against small servers."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from cheeper_e2e.hostile.raw_http.cases import Case, Ending
from cheeper_e2e.hostile.raw_http.connection import Address, exchange

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BOUND = 60


@asynccontextmanager
async def server(behave):
    """A server whose connections all do `behave(reader, writer)` and are closed."""

    async def connected(reader, writer):
        try:
            await behave(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with listening:
        yield Address("test", listening.sockets[0].getsockname()[1])


async def respond(reader, writer):
    """Respond to each request until the other side ends."""
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(RESPONSE)


async def respond_until_the_end(reader, writer):
    try:
        await respond(reader, writer)
    except asyncio.IncompleteReadError:
        return


async def respond_at_the_end(reader, writer):
    """Wait for the other side's end, as for more of the request."""
    await reader.read()
    writer.write(RESPONSE)


async def never_end(reader, _):
    await reader.read()
    await asyncio.Event().wait()


async def sent(behave, ending, *pieces, bound=BOUND):
    async with server(behave) as address:
        return await exchange(address, Case(pieces=pieces, ending=ending), bound)


@pytest.mark.parametrize("ending", [Ending.FINISH, Ending.STAY])
async def test_the_connection_ends_after_the_responses(ending):
    """Every request has its response, and the connection needs no time-out to end."""
    received = await sent(respond_until_the_end, ending, REQUEST, REQUEST[:5], REQUEST[5:])
    assert (received.content, received.ended, received.reset) == (RESPONSE * 2, True, False)


async def test_a_server_that_waits_for_more_sees_the_end():
    """A sender that gets nothing ends its half, and receives the rest."""
    received = await sent(respond_at_the_end, Ending.FINISH, REQUEST)
    assert (received.content, received.ended) == (RESPONSE, True)


async def test_an_end_at_once_is_sent():
    """The sender's half ends with its last byte."""
    received = await sent(respond_at_the_end, Ending.HALF, REQUEST)
    assert (received.content, received.ended) == (RESPONSE, True)


async def test_an_abort_reads_nothing():
    """The sender disconnects before any response."""
    received = await sent(respond_until_the_end, Ending.ABORT, REQUEST)
    assert (received.content, received.ended, received.reset) == (b"", True, True)


async def test_a_connection_that_stays_open_is_reported():
    """The bound ends the wait, and the report says that the other side did not."""
    received = await sent(never_end, Ending.HALF, REQUEST, bound=0.05)
    assert (received.content, received.ended) == (b"", False)


async def test_no_connection_is_an_error():
    """A port without a process raises OSError."""
    async with server(never_end) as address:
        pass
    with pytest.raises(OSError, match="onnect"):
        await exchange(address, Case(pieces=(REQUEST,), ending=Ending.FINISH), BOUND)
