"""`make demo`: the book's "Demo Time" on a fresh stack whose worker, relay and projector run a message at a time.

It prints each request with its response, and after every step what has changed in the book's four queues and in the
stores. The exit code is 1 if a response is not the book's, and 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from cheeper_e2e.demo.play import DemoError, play
from cheeper_e2e.demo.screen import Screen
from cheeper_local.errors import LocalError
from cheeper_local.running import RunningStack

_ENDING = (signal.SIGTERM, signal.SIGHUP)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m cheeper_e2e.demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder of a fresh stack in step mode (default: start one)")
    parser.add_argument("--pause", action="store_true", help="wait for a key after each step")
    parser.add_argument("--log", action="store_true", help="show the log lines of the processes too")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for number in _ENDING:  # so that they stop the stack and remove its folder, as Ctrl-C does
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as cleanup:
        try:
            stack = RunningStack.of(options.data) if options.data else _start(cleanup, console)
            asyncio.run(play(stack, Screen(console, pause=options.pause, log=options.log)))
        except (LocalError, DemoError) as error:
            Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(error)
            return 1
        except KeyboardInterrupt:
            for number in (signal.SIGINT, *_ENDING):
                signal.signal(number, signal.SIG_IGN)
            console.print("\nThe demo was interrupted; its stack is stopped and its data deleted.")
            return 128 + signal.SIGINT
        console.print("\nEvery response is the book's.", style="bold")
    return 0


def _start(cleanup: ExitStack, console: Console) -> RunningStack:
    """Start a stack of the demo's own, which `cleanup` ends, with its folder."""
    folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="cheeper-demo-")))
    folder.chmod(0o755)  # PostgreSQL runs as another user if this process is root
    console.print("A stack of the demo's own is starting: worker, relay and projector run a message at a time …")
    # The book's steps need the default transports, whatever this environment sets.
    return cleanup.enter_context(RunningStack.start(folder, step=True, environment={"COMMAND_TRANSPORTS": ""}))


if __name__ == "__main__":
    raise SystemExit(main())
