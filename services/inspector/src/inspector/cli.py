"""The command line: it serves traces or operations over HTTP until a signal comes, or makes the trail's schema."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import psycopg
import uvloop
from litestar import Litestar

from cheeper_runtime import logs
from cheeper_runtime.http_server import http_server
from cheeper_runtime.settings import SettingError
from inspector import bootstrap
from inspector.settings import MigrateSettings, OperationsSettings, Settings, from_env, of_migrate
from inspector.trail.schema import migrate

WRONG_SETTING: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one role until it is done or a signal comes. Return the exit code."""
    role = _parser().parse_args(arguments).role
    try:
        if role == "migrate":
            return uvloop.run(_migrate(of_migrate(os.environ)))
        settings = from_env(os.environ, OperationsSettings if role == "operations" else Settings)
    except SettingError as error:
        print(f"inspector: {error}", file=sys.stderr)
        return WRONG_SETTING
    logs.configure("inspector" if role == "http" else f"inspector {role}", settings.log_format, settings.log_level)
    if isinstance(settings, OperationsSettings):
        return uvloop.run(_serve(settings, bootstrap.operations_app(settings, os.environ)))
    return uvloop.run(_serve(settings, bootstrap.http_app(settings)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inspector", description="Follows a command through the system.")
    roles = parser.add_subparsers(dest="role", required=True, metavar="role")
    roles.add_parser("http", help="serve traces over HTTP")
    roles.add_parser("operations", help="do over HTTP what operators request, with an audit trail")
    roles.add_parser("migrate", help="make the schema of the audit trail, and end")
    return parser


async def _serve(settings: Settings, application: AbstractAsyncContextManager[Litestar]) -> int:
    async with application as app:
        server = http_server(app, settings.host, settings.port)
        await server.serve()
        return 0 if server.started else 1


async def _migrate(settings: MigrateSettings) -> int:
    try:
        await migrate(settings.database_url, settings.trail_password_file)
    except psycopg.OperationalError as error:
        print(f"inspector: {error}", file=sys.stderr)
        return 1
    print("the schema of the audit trail is there")
    return 0
