"""Logs: one line an event, JSON or coloured, of this code and of the libraries alike.

What is said of each message of a batch is said in one call, `each` of which is a line: the processors run once and the
lines are written at once, since a call a message would cost as much as applying it.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict, Processor

_NOISY = ("pymongo", "librdkafka")


def configure(role: str, log_format: str, level: str) -> None:
    """Write lines to stdout, each with the process's role; `auto` colours them on a terminal.

    Our own lines do not go through `logging`, which would cost more than all that they tell of. Libraries' lines get
    the same form.
    """
    console = log_format == "console" or (log_format == "auto" and sys.stdout.isatty())
    before: tuple[Processor, ...] = (
        structlog.contextvars.merge_contextvars,  # the generation, where it is not the first
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _service(role),
    )
    after = _rendering(console=console)
    structlog.configure(
        processors=[*before, *after],
        logger_factory=structlog.PrintLoggerFactory() if console else structlog.BytesLoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=[strip, *after[:-1], _text(after[-1])])
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _NOISY:  # a broker that is away is told once by readiness, not with each attempt
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _service(role: str) -> Processor:
    service = f"projector {role}"

    def add_service(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add_service


def _rendering(*, console: bool) -> tuple[Processor, ...]:
    # Tracebacks without local variables, which may hold what nobody should read in a log.
    if console:
        return (_line_each(structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)),)
    return (structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json))


def _json(event: EventDict, **_: Any) -> bytes:
    each = event.pop("each", None)
    said = msgspec.json.encode(event, enc_hook=str)
    if each is None:
        return said
    begin = said[:-1] + b","
    return b"\n".join(begin + msgspec.json.encode(one)[1:] for one in each)


def _line_each(renderer: Processor) -> Processor:
    def lines(logger: Any, method: str, event: EventDict) -> str:
        each = event.pop("each", None)
        if each is None:
            return str(renderer(logger, method, event))
        return "\n".join(str(renderer(logger, method, {**event, **msgspec.structs.asdict(one)})) for one in each)

    return lines


def _text(renderer: Processor) -> Processor:
    def as_text(logger: Any, method: str, event: EventDict) -> str:
        line = renderer(logger, method, event)
        return line.decode() if isinstance(line, bytes) else str(line)

    return as_text
