"""Running a stack from its start to a signal."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from cheeper_local.runner.control import Control
from cheeper_local.runner.greeting import greeting
from cheeper_local.runner.output import RUNNER, Output
from cheeper_local.runner.roles import Commands
from cheeper_local.runner.stack import Stack
from cheeper_local.settings import Settings
from cheeper_local.stack_folder import StackFolder

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(settings: Settings, commands: Commands | None = None, *, quiet: bool = False) -> None:
    """Start the stack, keep it until a signal comes, and stop it. Raises LocalError, with nothing left running.

    `commands` replace the roles' command lines; a `quiet` stack leaves the roles' lines to their files.
    """
    folder = StackFolder(settings.data)
    folder.make()
    with folder.held() as descriptor:
        output = Output(folder.logs, quiet=quiet)
        try:
            asyncio.run(_run(Stack(settings, folder, output, keep_open=(descriptor,), commands=commands), output))
        finally:
            output.close()


async def _run(stack: Stack, output: Output) -> None:
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, number)
    control = Control(stack)
    await control.start()
    signalled = asyncio.create_task(signals.get())
    started = asyncio.create_task(stack.start())
    try:
        await asyncio.wait({started, signalled}, return_when=asyncio.FIRST_COMPLETED)
        if started.done():
            started.result()
            output.plain(await asyncio.to_thread(greeting, stack))
            stack.announce()
        received = await signalled
        output.report(RUNNER, f"stopping after {received.name}; a second one ends everything at once")
    finally:
        started.cancel()
        await asyncio.gather(started, return_exceptions=True)
        control.stop()
        await _stop(stack, signals)
        output.report(RUNNER, "stopped; no process is left")


async def _stop(stack: Stack, signals: asyncio.Queue[signal.Signals]) -> None:
    stopping = asyncio.create_task(stack.stop())
    second = asyncio.create_task(signals.get())
    await asyncio.wait({stopping, second}, return_when=asyncio.FIRST_COMPLETED)
    if not stopping.done():
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        await stack.stop(at_once=True)
    second.cancel()
    await asyncio.gather(stopping, second, return_exceptions=True)


def log_of_background(data: Path) -> Path:
    """Return the file that gets what a terminal would show of a stack in the background."""
    return StackFolder(data).logs / "terminal.log"
