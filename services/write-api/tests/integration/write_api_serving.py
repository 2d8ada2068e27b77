"""The HTTP role, served as its process serves it: its checks run, and its limits hold."""

import asyncio
from contextlib import asynccontextmanager

import httpx

from cheeper_local.testing import eventually
from cheeper_runtime.http_server import http_server
from write_api.bootstrap.http import http_app


@asynccontextmanager
async def served(settings):
    """A client of the HTTP role, served on a free port."""
    async with http_app(settings) as app:
        server = http_server(app, "127.0.0.1", 0)
        task = asyncio.create_task(server.serve())
        await eventually(lambda: server.started or task.done())
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            await task
