"""`make demo`: the book's "Demo Time" on a fresh stack whose worker, relay and projector run a message at a time.

Prints each request with its answer, each process's lines, and after every step what waits in the book's four queues and
what each store holds. Exit code 1 where an answer is not the book's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from rich.console import Console

from cheeper_e2e.demo.stores import Stores
from cheeper_e2e.demo.transcript import THE_BOOKS, Ask, Run, Step, demo_time, mismatch
from cheeper_e2e.http.client import Client, Reply
from cheeper_local.errors import LocalError
from cheeper_local.runner.output import for_people
from cheeper_local.running import RunningStack

RUN_SECONDS: Final = 120


class DemoError(Exception):
    """An answer is not the book's, or a process did not do its part. The text is one sentence."""


def run_once(run: Run, env: Mapping[str, str]) -> str:
    """Run a process to its end and hand back its lines. Raises DemoError where it does not end well or in time."""
    program, *arguments = run.command
    command = [sys.executable, "-m", program.replace("-", "_"), *arguments]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout
        raise DemoError(f"{' '.join(run.command)} did not end within {RUN_SECONDS} s:\n{said}") from None
    if done.returncode != 0:
        raise DemoError(f"{' '.join(run.command)} ended with exit code {done.returncode}:\n{done.stdout}")
    return done.stdout


async def ask(client: Client, wanted: Ask) -> Reply:
    """Send a request of the transcript. Raises DemoError where the answer is not the one that it tells."""
    reply = await client.request(wanted.method, wanted.path, body=wanted.body)
    if reply.status != wanted.status:
        raise DemoError(f"{reply.curl} is answered with {reply.status} {reply.data}, not {wanted.status}.")
    if wrong := mismatch(wanted.data, reply.data):
        raise DemoError(f"{reply.curl} is answered otherwise than in the book: {wrong}.")
    return reply


async def play(step: Step, client: Client, env: Mapping[str, str], console: Console) -> None:
    """Do what a step says, and print it."""
    for action in step.actions:
        if isinstance(action, Run):
            console.print(f"$ {' '.join(action.command)}", style="bold cyan")
            for line in (await asyncio.to_thread(run_once, action, env)).splitlines():
                console.print(f"    {for_people(line, coloured=False)}", style="dim")
        else:
            reply = await ask(client, action)
            console.print(f"$ {reply.curl}", style="bold")
            body = json.dumps({"data": reply.data, "meta": reply.meta}, ensure_ascii=False, indent=2)
            console.print(f"{reply.status}\n{body}", style="green")


def show(stores: Stores, console: Console) -> None:
    """Print the queues and the stores."""
    console.print("Queues", style="bold yellow")
    for queue, waiting in stores.queues().items():
        console.print(f"    {queue:<15} {waiting}")
    store_before = ""
    for store, part, lines in stores.contents():
        if store != store_before:
            console.print(store, style="bold yellow")
            store_before = store
        console.print(f"    {part:<10} {lines[0] if lines else '(empty)'}")
        for line in lines[1:]:
            console.print(f"    {'':<10} {line}")


async def demo(stack: RunningStack, console: Console) -> None:
    """Play the whole transcript against a fresh stack in step mode. Raises DemoError."""
    env = {**stack.environment, "LOG_FORMAT": "json", "FANOUT_INLINE_MAX": "0", "FANOUT_SLICE": "1"}
    steps = demo_time(THE_BOOKS)
    async with Client(stack.gateway) as client:
        with Stores(env) as stores:
            for number, step in enumerate(steps, start=1):
                console.print()
                console.print(f"── {number} of {len(steps)}: {step.title} ──", style="bold yellow")
                await play(step, client, env, console)
                show(stores, console)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and hand back its exit code."""
    parser = argparse.ArgumentParser(prog="python -m cheeper_e2e.demo", description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="the data folder of a fresh stack that runs in step mode (default: start one)"
    )
    options = parser.parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    with ExitStack() as cleanup:
        try:
            if options.data:
                stack = RunningStack.of(options.data)
            else:
                folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="cheeper-demo-")))
                folder.chmod(0o755)  # PostgreSQL runs as another user where this runs as root
                console.print(f"A fresh stack in step mode starts in {folder} …")
                stack = cleanup.enter_context(RunningStack.start(folder, step=True))
            asyncio.run(demo(stack, console))
        except (LocalError, DemoError) as error:
            print(error, file=sys.stderr)  # noqa: T201 - what a command line says
            return 1
        console.print("\nAll as in the book.", style="bold")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
