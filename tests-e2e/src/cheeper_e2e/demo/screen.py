"""The demo on the terminal: requests with their responses, and the changes in queues and stores."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import termios
import tty
from collections.abc import Iterable, Mapping

from rich.console import Console

from cheeper_e2e.http.client import Reply
from cheeper_local.runner.output import for_people


class Screen:
    """Prints the demo. It keeps the queues and stores of the step before, to mark changes.

    `pause` waits for a key after each step, if there is a keyboard; `log` shows the processes' log lines.
    """

    def __init__(self, console: Console, *, pause: bool = False, log: bool = False) -> None:
        self._console = console
        self._pause = pause and console.is_terminal and sys.stdin.isatty()
        self._log = log
        self._queues: Mapping[str, str] = {}
        self._contents: dict[tuple[str, str], list[str]] = {}

    def show_title(self, title: str) -> None:
        """Print the title of a step."""
        self._console.print(f"\n── {title} ──", style="bold yellow")

    def show_process(self, command: str, output: str) -> None:
        """Print a process's command line, and with `log` its lines."""
        self._console.print(f"$ {command}", style="bold cyan")
        for line in output.splitlines() if self._log else ():
            self._console.print(f"    {for_people(line, coloured=False)}", style="dim")

    def show_response(self, reply: Reply) -> None:
        """Print a request as a curl line, and its response."""
        self._console.print(f"$ {reply.curl}", style="bold")
        body = json.dumps({"data": reply.data, "meta": reply.meta}, ensure_ascii=False)
        self._console.print(f"{reply.status} {body}", style="green")

    def show_changes(self, queues: Mapping[str, str], contents: Iterable[tuple[str, str, list[str]]]) -> None:
        """Print the queues, and the parts of the stores that have changed: `*`, `+` and `-` mark the changes."""
        self._console.print("Queues", style="bold yellow")
        for queue, waiting in queues.items():
            changed = waiting != self._queues.get(queue, waiting)
            self._console.print(f"  {'*' if changed else ' '} {queue:<15} {waiting}", style="bold" if changed else None)
        self._queues = queues
        for store, part, lines in contents:
            before = self._contents.get((store, part), [])
            self._contents[store, part] = lines
            if lines == before:
                continue
            self._console.print(f"{store}, {part}", style="bold yellow")
            for line in (each for each in before if each not in lines):
                self._console.print(f"  - {line}", style="red")
            for line in lines:
                is_new = line not in before
                self._console.print(f"  {'+' if is_new else ' '} {line}", style="bold" if is_new else None)
        self._console.print("The rest of the stores is unchanged.", style="dim")

    async def wait_for_key(self) -> None:
        """Wait for a key, if the steps pause."""
        if not self._pause:
            return
        self._console.print("Press a key for the next step …", style="dim")
        keyboard, pressed = sys.stdin.fileno(), asyncio.Event()
        settings = termios.tcgetattr(keyboard)
        tty.setcbreak(keyboard)
        asyncio.get_running_loop().add_reader(keyboard, pressed.set)
        try:
            await pressed.wait()
            os.read(keyboard, 64)
        finally:
            asyncio.get_running_loop().remove_reader(keyboard)
            termios.tcsetattr(keyboard, termios.TCSADRAIN, settings)
