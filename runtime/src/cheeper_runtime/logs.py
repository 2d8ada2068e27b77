"""Structured logs: one line per event on standard output, as JSON or, on a terminal, as coloured text.

A call that passes `each`, a sequence of msgspec structs, writes one line per struct: the processors run once for a
whole batch, since a call per message would cost as much as handling it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final, Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor

LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

LOGGED_CHARACTERS: Final = 200
"""As much of a caller's text, such as the path of a request, is logged; nothing of headers and parameters is."""


def configure(  # noqa: PLR0913 - what may differ between processes
    service: str,
    log_format: LogFormat,
    level: LogLevel,
    *,
    silent: Iterable[str] = (),
    stream: TextIO | None = None,
    write_per_turn: bool = False,
    context: Processor | None = None,
) -> None:
    """Configure structlog, and have it write the warnings of libraries too.

    `service` is in each JSON line. `auto` is `console` on a terminal. Of the loggers named in `silent` only critical
    records are written. `write_per_turn` writes the lines of one turn of the event loop together, for a process that
    logs each request. `context` adds fields to each line, such as the ids of a trace.
    """
    out = stream or sys.stdout
    console = log_format == "console" or (log_format == "auto" and out.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *(() if context is None else (context,)),
            structlog.processors.add_log_level,
            *(_console() if console else _json(service)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_turn_writer(out.buffer) if write_per_turn else structlog.BytesLoggerFactory(out.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_ToStructlog()], level=logging.WARNING, force=True)
    for name in silent:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _json(service: str) -> list[Processor]:
    encode = msgspec.json.Encoder(enc_hook=str).encode

    def as_json(_logger: Any, _method: str, event: EventDict) -> bytes:
        each = event.pop("each", None)
        event["timestamp"] = datetime.now(UTC)  # cheaper than structlog's, which formats it in Python
        event["service"] = service
        line = encode(event)
        if each is None:
            return line
        shared = line[:-1] + b","
        return b"\n".join([shared + encode(one)[1:] for one in each])

    return [structlog.processors.format_exc_info, as_json]


def _console() -> list[Processor]:
    # Tracebacks come without local variables, which may hold secrets.
    render = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)

    def as_text(logger: Any, method: str, event: EventDict) -> bytes:
        events = ({**event, **msgspec.structs.asdict(one)} for one in event.pop("each", (_Nothing(),)))
        return "\n".join(str(render(logger, method, one)) for one in events).encode()

    return [structlog.processors.TimeStamper(fmt="iso", utc=True), as_text]


class _Nothing(msgspec.Struct):
    pass


class _TurnWriter:
    """Writes the lines of one turn of the event loop together, and each line at once where no loop runs."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._unwritten: list[bytes] = []

    def msg(self, line: bytes) -> None:
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
        self._out.write(b"\n".join((*lines, b"")))
        self._out.flush()


def _turn_writer(out: BinaryIO) -> Callable[..., _TurnWriter]:
    writer = _TurnWriter(out)
    return lambda *_: writer


class _ToStructlog(logging.Handler):
    """Passes the records of the standard library's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record at the next lower level that structlog knows."""
        level = min(record.levelno // 10 * 10, logging.CRITICAL)
        structlog.get_logger().log(level, record.getMessage(), logger=record.name, exc_info=record.exc_info or None)
