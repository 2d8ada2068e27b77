"""The request to a health page."""

from __future__ import annotations

import asyncio
import json

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


def unmet_needs(body: str) -> str:
    """Return the needs of a health page that are not met, with their reasons; the body itself if it is no such page."""
    try:
        needs = json.loads(body)["data"].items()
        return ", ".join(f"{name} {need['why']}" for name, need in needs if not need["ok"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return body.strip()
