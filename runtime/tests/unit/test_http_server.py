"""The HTTP server, on a port of the loopback interface."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from cheeper_local.testing import eventually
from cheeper_runtime.http_server import HEAD_BYTES, http_server

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
SHORT = 0.05
LONG = 3600.0


class App:
    """An application that responds with the body that it received, once `open` is set. It notes what it served."""

    def __init__(self):
        self.open = asyncio.Event()
        self.open.set()
        self.served = []
        self.begun = 0
        self.disconnected = 0

    async def __call__(self, scope, receive, send):
        """Serve one request, or the lifespan."""
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        self.begun += 1
        body, more = b"", scope["method"] == "POST"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected += 1
                return
            body, more = body + message["body"], message["more_body"]
        await self.open.wait()
        self.served.append(body)
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(app, **options):
    """A server of the application, and a function that connects to it."""
    server = http_server(app, "127.0.0.1", 0, **options)
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield server, lambda: asyncio.open_connection("127.0.0.1", port)
    finally:
        server.should_exit = True
        await task


async def head_of(reader):
    """Return the head of the next response."""
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)


async def rest_of(reader):
    """Return what comes until the connection is closed."""
    return await asyncio.wait_for(reader.read(), 60)


def run(test):
    """Run a coroutine function with an application."""

    async def with_app():
        await test(App())

    asyncio.run(with_app())


@pytest.mark.parametrize(
    "sent", [b"G", b"GET / HTTP/1.1\r\nHost:", POST, POST + b"xxx", CHUNKED, CHUNKED + b"4\r\nxx", CHUNKED + b"4"]
)
def test_a_request_that_does_not_arrive_ends_its_connection(sent):
    """A head or a body that is not complete in time gets 408 and a close, of which the application learns."""

    async def test(app):
        async with serving(app, arrival_seconds=SHORT) as (_, connect):
            reader, writer = await connect()
            writer.write(sent)
            assert (await rest_of(reader)).startswith(b"HTTP/1.1 408 ")
            writer.close()
        assert (app.served, app.disconnected) == ([], app.begun)

    run(test)


@pytest.mark.parametrize(("before", "sent"), [(b"", b""), (b"", b"\r\n"), (GET, b"\r\n")])
def test_a_connection_on_which_no_request_begins_ends(before, sent):
    """Neither a first request nor a next one is waited for without end, whatever empty lines come."""

    async def test(app):
        async with serving(app, idle_seconds=SHORT) as (_, connect):
            reader, writer = await connect()
            if before:
                writer.write(before)
                await head_of(reader)
            writer.write(sent)
            assert await rest_of(reader) == b""
            writer.close()
        assert len(app.served) == len(before[:1])

    run(test)


@pytest.mark.parametrize("piece", [b"X: y\r\n", b"X"])
def test_a_trickle_does_not_extend_the_time(piece):
    """The time counts from the first byte of a request, so a client that goes on sending loses its connection too."""

    async def test(app):
        async with serving(app, arrival_seconds=SHORT) as (server, connect):
            _, writer = await connect()
            writer.write(b"GET / HTTP/1.1\r\n")
            await eventually(lambda: server.server_state.connections)

            def closed():
                writer.write(piece)
                return not server.server_state.connections

            await eventually(closed)
            writer.close()
        assert app.begun == 0

    run(test)


def test_a_body_that_is_not_read_must_arrive_too():
    """A response before the end of its request does not keep the connection open for the rest."""

    async def test(app):
        async with serving(app, arrival_seconds=SHORT) as (_, connect):
            reader, writer = await connect()
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
            response = await rest_of(reader)
            assert b" 200 " in response
            assert b" 408 " not in response
            writer.close()

    run(test)


@pytest.mark.parametrize("sent", [b"GET / HT", POST + b"xxx"])
def test_a_request_behind_another_gets_no_response_before_it(sent):
    """A 408 would be taken for the response of the request before, which is still in flight."""

    async def test(app):
        app.open.clear()
        async with serving(app, arrival_seconds=SHORT) as (_, connect):
            reader, writer = await connect()
            writer.write(GET)
            await eventually(lambda: app.begun)
            writer.write(sent)
            assert await rest_of(reader) == b""
            app.open.set()
            writer.close()

    run(test)


def test_a_slow_response_is_not_a_slow_request():
    """The time ends with the request: the application may take longer, and the connection may then wait."""

    async def test(app):
        app.open.clear()
        async with serving(app, arrival_seconds=SHORT) as (_, connect):
            reader, writer = await connect()
            writer.write(POST + b"body")
            await asyncio.sleep(4 * SHORT)
            app.open.set()
            assert b" 200 " in await head_of(reader)
            assert await reader.readexactly(4) == b"body"
            await asyncio.sleep(4 * SHORT)
            writer.write(GET)
            assert b" 200 " in await head_of(reader)
            writer.close()

    run(test)


def test_a_head_is_not_longer_than_it_may_be():
    """The head of a request that goes on and on ends its connection, without a wait."""

    async def test(app):
        async with serving(app, arrival_seconds=LONG) as (server, connect):
            _, writer = await connect()
            writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * (HEAD_BYTES // 2))
            await writer.drain()
            writer.write(b"x" * HEAD_BYTES)
            await eventually(lambda: not server.server_state.connections)
            writer.close()
        assert app.begun == 0

    run(test)


def test_a_long_body_is_no_long_head():
    """A body may be longer than a head."""

    async def test(app):
        async with serving(app, arrival_seconds=LONG) as (_, connect):
            reader, writer = await connect()
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (3 * HEAD_BYTES))
            for _ in range(3):
                writer.write(b"x" * HEAD_BYTES)
                await asyncio.sleep(0)
            assert b" 200 " in await head_of(reader)
            writer.close()
        assert app.served == [b"x" * (3 * HEAD_BYTES)]

    run(test)


def test_open_connections_are_served_while_new_ones_are_refused():
    """In the first part of the drain each open connection gets its next response, which says that it closes."""

    async def test(app):
        drains = []
        async with serving(app, lame_duck_seconds=LONG, on_drain=lambda: drains.append(True)) as (server, connect):
            reader, writer = await connect()
            writer.write(GET)
            assert b"connection: close" not in await head_of(reader)
            server.should_exit = True
            await eventually(lambda: drains)
            with pytest.raises(OSError, match=r"."):
                await connect()
            writer.write(POST + b"more")
            assert b"connection: close" in await head_of(reader)
            assert await rest_of(reader) == b"more"
            writer.close()
        assert drains == [True]

    run(test)


def test_what_is_in_flight_is_finished():
    """A request in flight gets its response, and an idle connection is closed after the first part of the drain."""

    async def test(app):
        app.open.clear()
        async with serving(app, lame_duck_seconds=SHORT) as (server, connect):
            idle, idle_writer = await connect()
            reader, writer = await connect()
            writer.write(POST + b"body")
            await eventually(lambda: app.begun)
            server.should_exit = True
            assert await rest_of(idle) == b""
            app.open.set()
            assert b" 200 " in await head_of(reader)
            assert await rest_of(reader) == b"body"
            writer.close()
            idle_writer.close()

    run(test)


class Endless:
    """An application whose response never ends, until its client is gone."""

    def __init__(self):
        self.gone = asyncio.Event()

    async def __call__(self, scope, receive, send):
        """Serve one request, or the lifespan."""
        if scope["type"] == "lifespan":
            await App()(scope, receive, send)
            return
        await receive()
        leaving = asyncio.create_task(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not leaving.done():
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
        self.gone.set()


def test_a_client_that_takes_nothing_is_cut_off():
    """A response that cannot be sent for so long is given up, with its connection and what waits to be sent."""

    async def test():
        app = Endless()
        async with serving(app, stall_seconds=SHORT) as (server, connect):
            _, writer = await connect()
            writer.transport.pause_reading()
            writer.write(GET)
            await asyncio.wait_for(app.gone.wait(), 60)
            await eventually(lambda: not server.server_state.connections)
            writer.transport.abort()

    asyncio.run(test())


def test_a_client_that_goes_on_reading_is_not_cut_off():
    """The rest of a response waits, as long as some of it is taken within the time."""

    async def test():
        app = Endless()
        async with serving(app, stall_seconds=LONG) as (_, connect):
            reader, writer = await connect()
            writer.write(GET)
            await head_of(reader)
            await asyncio.wait_for(reader.readexactly(32 << 20), 60)
            assert not app.gone.is_set()
            writer.transport.abort()
            await asyncio.wait_for(app.gone.wait(), 60)

    asyncio.run(test())
