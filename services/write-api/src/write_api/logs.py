"""Logs: one line an event, JSON or coloured, of this code and of the libraries alike."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_NOISY = ("sqlalchemy", "alembic", "uvicorn", "litestar")


def configure(role: str, log_format: str, level: str) -> None:
    """Write lines to stdout, each with the process's role; `auto` colours them on a terminal."""
    console = log_format == "console" or (log_format == "auto" and sys.stdout.isatty())
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED, processors=[_says(role), *_rendering(console=console)]
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _says(role: str) -> Processor:
    service = f"write-api {role}"

    def add_service(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    return add_service


def _rendering(*, console: bool) -> tuple[Processor, ...]:
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    # Tracebacks without local variables, which may hold what nobody should read in a log.
    if console:
        return (strip, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback))
    return (strip, structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str))
