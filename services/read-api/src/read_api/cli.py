"""The command line: `read-api http`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import uvloop

from cheeper_runtime import logs, settings
from cheeper_runtime.traces import tracing
from read_api.bootstrap import run_http
from read_api.settings import from_env

USAGE_ERROR = 2


def main() -> None:
    """Run a role. The exit code is 2 if the settings are wrong."""
    parser = argparse.ArgumentParser(prog="read-api", description="Cheeper's read side: answers queries over HTTP.")
    parser.add_argument("role", choices=("http",))
    parser.parse_args()
    try:
        read = from_env(os.environ)
    except settings.SettingError as error:
        sys.stderr.write(f"read-api: {error}\n")
        sys.exit(USAGE_ERROR)
    with tracing("read-api", os.environ) as tracer:
        context = None if tracer is None else tracer.log_context
        logs.configure("read-api", read.log_format, read.log_level, write_per_turn=True, context=context)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_http(read))
