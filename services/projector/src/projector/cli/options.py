"""The values of the command line, and the libraries that a command silences."""

from __future__ import annotations

import argparse
from typing import Final

SILENT: Final = ("pymongo", "librdkafka")
"""Loggers of libraries: readiness reports a server that is unavailable once, not with each attempt."""


def positive(text: str) -> int:
    """A whole number from 1. Raises ArgumentTypeError, whose text the command line says."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1")
    return int(text)
