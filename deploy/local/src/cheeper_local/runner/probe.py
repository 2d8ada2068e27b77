"""The request to a health page."""

from __future__ import annotations

import asyncio

from cheeper_local.system.ports import HOST

_SECONDS = 5.0


async def get(port: int, path: str) -> tuple[int, str]:
    """Return status and body of a GET on this machine; status 0 and the reason if there is no response."""
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
                response = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        return 0, str(error) or "no response in time"
    head, _, body = response.partition(b"\r\n\r\n")
    parts = head.split(b" ", 2)
    if len(parts) < 2 or not parts[1].isdigit():  # noqa: PLR2004 - protocol and status
        return 0, "the response is not HTTP"
    return int(parts[1]), body.decode(errors="replace")
