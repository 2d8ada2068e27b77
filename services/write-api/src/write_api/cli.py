"""The command line. Each of its commands is the role of a process."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

import uvloop

from cheeper_runtime import logs
from cheeper_runtime.http_server import http_server
from cheeper_runtime.settings import SettingError
from cheeper_runtime.traces import tracing
from write_api.consumer import cli as dead_letters_cli
from write_api.settings import Role, Settings, from_env

WRONG_SETTING: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one role until it is done or a signal comes. Return the exit code."""
    parsed = _parser().parse_args(arguments)
    role: Role = parsed.role
    try:
        settings = from_env(os.environ, role)
    except SettingError as error:
        print(f"write-api {role}: {error}", file=sys.stderr)
        return WRONG_SETTING
    # `dead-letters` prints its results itself.
    level = "error" if role == "dead-letters" else settings.log_level
    with tracing(f"write-api-{role}", os.environ, history=role == "dead-letters") as tracer:
        context = None if tracer is None else tracer.log_context
        logs.configure(f"write-api {role}", settings.log_format, level, context=context)
        return uvloop.run(_run(settings, parsed))


async def _run(settings: Settings, parsed: argparse.Namespace) -> int:  # noqa: PLR0911 - one for each role
    # A process imports only what its own role needs.
    # ruff: noqa: PLC0415
    limit = getattr(parsed, "limit", None)
    match settings.role:
        case "http":
            from write_api.bootstrap import http

            async with http.http_app(settings) as app:
                server = http_server(app, settings.host, settings.port)
                await server.serve()
                return 0 if server.started else 1
        case "worker":
            from write_api.bootstrap import consumers

            return await consumers.run_worker(settings, limit)
        case "process-manager":
            from write_api.bootstrap import consumers

            return await consumers.run_process_manager(settings, limit)
        case "relay":
            from write_api.bootstrap import relay

            return await relay.run_relay(settings, limit)
        case "access":
            from write_api.bootstrap import setup

            assert settings.migrate_password_file is not None  # noqa: S101 - from_env requires it
            return await setup.run_access(settings, settings.migrate_password_file)
        case "migrate":
            from write_api.bootstrap import setup

            return await setup.run_migrate(settings)
        case "raise-epoch":
            from write_api.bootstrap import setup

            return await setup.run_raise_epoch(settings)
        case "dead-letters":
            from write_api.bootstrap import dead_letters

            async with dead_letters.replays(settings) as replays:
                return await dead_letters_cli.run(replays, parsed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="write-api", description="Cheeper's write side: commands in, events out.")
    roles = parser.add_subparsers(dest="role", required=True, metavar="role")
    roles.add_parser("access", help="make the database's owner and the role of migrate, as a superuser, and end")
    roles.add_parser("migrate", help="make the schema and the topics, and end")
    roles.add_parser("http", help="take commands over HTTP")
    worker = roles.add_parser("worker", help="handle the commands that come over Kafka")
    relay = roles.add_parser("relay", help="publish what the outbox holds")
    process_manager = roles.add_parser("process-manager", help="make the commands that follow from events")
    for stepping, what in ((worker, "messages"), (relay, "events"), (process_manager, "events that led to something")):
        stepping.add_argument("--limit", type=_positive, metavar="N", help=f"end after N {what}")
    roles.add_parser("raise-epoch", help="let the relay go on with a restored database; the views must be rebuilt then")
    dead_letters_cli.add_to(roles)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1")
    return int(text)
