"""The lines of each process: unchanged in a file of its own, and readable on the terminal with its name before them."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import IO, Any

RUNNER = "cheeper"
_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)
_LEVEL_COLOURS = {"warning": 33, "warn": 33, "error": 31, "critical": 31, "fatal": 31}
_NAME_WIDTH = len("process-manager")
_TIME_OF_DAY = slice(11, 19)
KEEP_BYTES = 20_000_000
"""A log that is longer is renamed, in place of the one that was renamed before."""
_KNOWN_FROM_THE_NAME = ("service", "logger")


class Output:
    """The terminal and the log files. `terminal` may be None; one that is closed (`make up | head`) is no longer
    written to.

    A `quiet` one shows the runner's own lines on the terminal and leaves the processes' to their files.
    """

    def __init__(
        self,
        logs: Path,
        terminal: IO[str] | None = sys.stdout,
        *,
        coloured: bool | None = None,
        quiet: bool = False,
    ) -> None:
        self._logs = logs
        self._terminal = terminal
        self._coloured = _wants_colours(terminal) if coloured is None else coloured
        self._quiet = quiet
        self.brief = False
        """While True, lines below the level of a warning go to the files alone."""
        self._files: dict[str, IO[bytes]] = {}
        self._colours: dict[str, int] = {}

    def lines(self, name: str, lines: list[bytes]) -> None:
        """Write lines of a process, given without their ends."""
        file = self._file(name)
        file.write(b"".join(line + b"\n" for line in lines))
        if file.tell() > KEEP_BYTES:
            self._files.pop(name).close()  # the next line opens it again, after the rotation
        texts = [line.decode(errors="replace") for line in lines]
        shown = [text for text in texts if not self._quiet and not (self.brief and _is_routine(text))]
        if shown:
            self._print("\n".join(self._prefix(name) + for_people(text, coloured=self._coloured) for text in shown))

    def report(self, name: str, event: str) -> None:
        """Write a line of the runner's own about a process, or about itself."""
        self._file(RUNNER).write(f"{name}: {event}\n".encode())
        self._print(f"{self._prefix(name)}{time.strftime('%H:%M:%S', time.gmtime())} {event}")

    def plain(self, text: str) -> None:
        """Write lines to the terminal alone, without a name before them."""
        self._print(text)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _prefix(self, name: str) -> str:
        prefix = f"{name:<{_NAME_WIDTH}} | "
        if not self._coloured:
            return prefix
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        return f"\x1b[{colour}m{prefix}\x1b[0m"

    def _print(self, text: str) -> None:
        if self._terminal is None:
            return
        try:
            self._terminal.write(text + "\n")
            self._terminal.flush()
        except OSError:
            self._terminal = None

    def _file(self, name: str) -> IO[bytes]:
        if name not in self._files:
            path = self._logs / f"{name}.log"
            self._logs.mkdir(parents=True, exist_ok=True)
            rotate(path)
            self._files[name] = path.open("ab", buffering=0)
        return self._files[name]


def rotate(log: Path) -> None:
    """Rename a log that is longer than KEEP_BYTES."""
    if log.exists() and log.stat().st_size > KEEP_BYTES:
        log.replace(log.with_suffix(".old.log"))


def for_people(line: str, *, coloured: bool) -> str:
    """Return a JSON log line as time, level, event and `key=value`, and any other line unchanged.

    The level is shown from warning on. Fields that the process's name gives away, and empty ones, are left out.
    """
    entry = _entry(line)
    if entry is None:
        return line
    moment, seconds = entry.pop("timestamp", ""), entry.pop("ts", None)
    level = str(entry.pop("level", ""))
    event = str(entry.pop("event", None) or entry.pop("msg", ""))
    pairs = " ".join(
        f"{key}={_shown(value)}"
        for key, value in entry.items()
        if value is not None and key not in _KNOWN_FROM_THE_NAME
    )
    time_of_day = moment[_TIME_OF_DAY] if isinstance(moment, str) else ""
    if isinstance(seconds, int | float):  # Caddy's
        time_of_day = time.strftime("%H:%M:%S", time.gmtime(seconds))
    if coloured:
        event = f"\x1b[{_LEVEL_COLOURS.get(level, 1)}m{event}\x1b[0m"
        pairs = f"\x1b[2m{pairs}\x1b[0m" if pairs else ""
    shown_level = f"[{level}]" if level in _LEVEL_COLOURS else ""
    return " ".join(part for part in (time_of_day, shown_level, event, pairs) if part)


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line) if line.startswith("{") else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _is_routine(line: str) -> bool:
    entry = _entry(line)
    return entry is not None and entry.get("level") not in _LEVEL_COLOURS


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and " " not in value else json.dumps(value, ensure_ascii=False)


def _wants_colours(terminal: IO[str] | None) -> bool:
    return terminal is not None and terminal.isatty() and "NO_COLOR" not in os.environ
