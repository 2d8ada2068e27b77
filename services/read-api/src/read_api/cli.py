"""The command line: `read-api http`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import uvloop

from read_api.bootstrap import run_http
from read_api.ops import logs
from read_api.settings import SettingError, from_env

USAGE_ERROR = 2


def main() -> None:
    """Run a role. Exit code 2 where the settings are wrong."""
    parser = argparse.ArgumentParser(prog="read-api", description="Cheeper's read side: answers queries over HTTP.")
    parser.add_argument("role", choices=("http",))
    parser.parse_args()
    try:
        settings = from_env(os.environ)
    except SettingError as error:
        sys.stderr.write(f"read-api: {error}\n")
        sys.exit(USAGE_ERROR)
    logs.configure(settings.log_format, settings.log_level, "read-api")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_http(settings))
