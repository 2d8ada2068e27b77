"""The log: one line an event on standard output, JSON or, on a terminal, coloured text.

There is a line a request, so it must be cheap: msgspec makes it, and the lines of one turn of the event loop are
written together. Stamped and written one by one they were an eighth of a page of a timeline.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import Processor


def configure(log_format: str, log_level: str, service: str, stream: TextIO | None = None) -> None:
    """Set up structlog, and lead the libraries' warnings to it."""
    out = stream or sys.stdout
    console = log_format == "console" or (log_format == "auto" and out.isatty())
    lines = _Lines(out)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            *_rendering(service, console=console),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(log_level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)


def _rendering(service: str, *, console: bool) -> list[Processor]:
    if console:
        return [structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.dev.ConsoleRenderer(colors=True)]
    encode = msgspec.json.Encoder(enc_hook=str).encode

    def as_json(_logger: Any, _name: str, event: structlog.typing.EventDict) -> str:
        event["timestamp"] = datetime.now(UTC)
        event["service"] = service
        return encode(event).decode()

    return [structlog.processors.format_exc_info, as_json]


class _Lines:
    """Writes the lines of one turn of the event loop together; where no loop runs, each at once."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._unwritten: list[str] = []

    def msg(self, line: str) -> None:
        """Have a line written."""
        self._unwritten.append(line)
        if len(self._unwritten) > 1:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write()
        else:
            loop.call_soon(self._write)

    debug = info = warning = error = critical = msg

    def _write(self) -> None:
        lines, self._unwritten = self._unwritten, []
        self._out.write("\n".join((*lines, "")))
        self._out.flush()


class _Forward(logging.Handler):
    """Gives the standard library's records to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info or None
        )
