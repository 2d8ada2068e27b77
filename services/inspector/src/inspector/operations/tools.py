"""Runs the command lines of the other services, which are all that this service knows of them."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, Protocol

from inspector.operations.requests import CommandLine, Tool

MODULES: Final[Mapping[Tool, str]] = {"write-api": "write_api", "projector": "projector", "audit": "cheeper_audit"}
_LINE_BYTES: Final = 1 << 20
_GRACE_SECONDS: Final = 10.0


class RunTool(Protocol):
    """Runs a command line, and stops it when it is cancelled."""

    async def __call__(self, command: CommandLine, on_line: Callable[[str], object]) -> int:
        """Call `on_line` with each line of the output. Return the exit code."""
        ...


def environment_of(tool: Tool, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a tool: those of this process, where one with the tool's name before it has precedence,
    as AUDIT_DATABASE_URL has over DATABASE_URL for the audit. A file of a value replaces the value, and the reverse.
    """
    own = f"{tool.upper().replace('-', '_')}_"
    found = {**environ, "PYTHONUNBUFFERED": "1"}
    for name, value in environ.items():
        if name.startswith(own) and value:
            wanted = name.removeprefix(own)
            found.pop(wanted.removesuffix("_FILE") if wanted.endswith("_FILE") else f"{wanted}_FILE", None)
            found[wanted] = value
    return found


class Tools:
    """Runs command lines in processes of their own, with the credentials that each tool has."""

    def __init__(self, environ: Mapping[str, str], modules: Mapping[Tool, str] = MODULES) -> None:
        self._environ = environ
        self._modules = modules

    async def __call__(self, command: CommandLine, on_line: Callable[[str], object]) -> int:
        """Run the command line until it ends, and stop it if the caller is cancelled."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._modules[command.tool],
            *command.arguments,
            env=environment_of(command.tool, self._environ),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            limit=_LINE_BYTES,
            start_new_session=True,  # a Ctrl-C at the terminal is this process's, which then stops the tool
        )
        try:
            await _read(process, on_line)
            return await process.wait()
        finally:
            await _stop(process)


async def _read(process: Process, on_line: Callable[[str], object]) -> None:
    if process.stdout is None:
        raise RuntimeError("the process has no output")
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:  # the reader has dropped what was too long
            continue
        if not line:
            return
        if text := line.decode(errors="replace").strip():
            on_line(text)


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_GRACE_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
