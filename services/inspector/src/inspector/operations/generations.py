"""The generations of the stores' views, as the projector's command line lists them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from cheeper_audit.stores import StoreUnavailableError
from inspector.operations.requests import CommandLine
from inspector.operations.tools import RunTool

_LISTING: Final = CommandLine("projector", ("generations",))
_SECONDS: Final = 20.0

ReadGenerations = Callable[[], Awaitable[list[dict[str, Any]]]]


async def read_generations(run: RunTool) -> list[dict[str, Any]]:
    """Return the generations of both stores, each as the command line prints it. Raise StoreUnavailableError."""
    lines: list[str] = []
    try:
        async with asyncio.timeout(_SECONDS):
            exit_code = await run(_LISTING, lines.append)
    except TimeoutError:
        raise StoreUnavailableError("The generations could not be read in time.") from None
    if exit_code != 0:
        raise StoreUnavailableError(lines[-1] if lines else "The generations could not be read.")
    try:
        return [msgspec.json.decode(line, type=dict[str, Any]) for line in lines]
    except msgspec.MsgspecError:
        raise StoreUnavailableError("The generations could not be read.") from None
