"""Playing the transcript: its requests are sent, and its processes run a message at a time."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
from typing import Final

from cheeper_e2e.demo.screen import Screen
from cheeper_e2e.demo.stores import Stores
from cheeper_e2e.demo.transcript import THE_BOOKS, Ask, Run, Step, demo_time, mismatch
from cheeper_e2e.http.client import Client, Reply
from cheeper_local.running import RunningStack
from cheeper_local.system.ports import HOST, free_port

_RUN_SECONDS: Final = 120
_SETTINGS: Final = {"LOG_FORMAT": "json", "FANOUT_INLINE_MAX": "0", "FANOUT_SLICE": "1", "HOST": HOST}


class DemoError(Exception):
    """A response is not the book's, or a process failed. The text is one sentence."""


async def play(stack: RunningStack, screen: Screen) -> None:
    """Play the whole transcript against a fresh stack in step mode. Raises DemoError."""
    environment = {**stack.environment, **_SETTINGS}
    steps = demo_time(THE_BOOKS)
    async with Client(stack.gateway) as client:
        with Stores(environment) as stores:
            for number, step in enumerate(steps, start=1):
                screen.show_title(f"{number} of {len(steps)}: {step.title}")
                await _play_step(step, client, environment, screen)
                screen.show_changes(stores.queues(), stores.contents())
                if number < len(steps):
                    await screen.wait_for_key()


async def _play_step(step: Step, client: Client, environment: Mapping[str, str], screen: Screen) -> None:
    for action in step.actions:
        if isinstance(action, Run):
            screen.show_process(" ".join(action.command), await _run(action, environment))
        else:
            screen.show_response(await _send(client, action))


async def _run(run: Run, environment: Mapping[str, str]) -> str:
    """Run a process to its end. Return its lines. Raises DemoError if it fails or takes too long."""
    program, *arguments = run.command
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", program.replace("-", "_"), *arguments),
        # A port of its own, since another stack or demo may have the default one.
        env={**os.environ, **environment, "PORT": str(free_port())},
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        async with asyncio.timeout(_RUN_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        raise DemoError(f"{' '.join(run.command)} did not end within {_RUN_SECONDS} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise DemoError(f"{' '.join(run.command)} ended with exit code {process.returncode}:\n{output.decode()}")
    return output.decode()


async def _send(client: Client, ask: Ask) -> Reply:
    """Send a request of the transcript. Raises DemoError if the response is not the transcript's."""
    reply = await client.request(ask.method, ask.path, body=ask.body)
    if reply.status != ask.status:
        raise DemoError(f"The response to {reply.curl} is {reply.status} {reply.data}, not {ask.status}.")
    if difference := mismatch(ask.data, reply.data):
        raise DemoError(f"The response to {reply.curl} is not the book's: {difference}.")
    return reply
