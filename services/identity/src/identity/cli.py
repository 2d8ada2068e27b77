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
from identity import bootstrap
from identity.db.schema.migrate import migrate
from identity.domain.errors import InvalidError
from identity.settings import Role, Settings, from_env

WRONG_SETTING: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one role until it is done or a signal comes. Return the exit code."""
    parsed = _parser().parse_args(arguments)
    role: Role = parsed.role
    try:
        settings = from_env(os.environ, role)
    except SettingError as error:
        print(f"identity {role}: {error}", file=sys.stderr)
        return WRONG_SETTING
    logs.configure(f"identity {role}", settings.log_format, settings.log_level)
    return uvloop.run(_run(settings, parsed))


async def _run(settings: Settings, parsed: argparse.Namespace) -> int:
    if settings.role == "http":
        async with bootstrap.http_app(settings) as app:
            server = http_server(app, settings.host, settings.port)
            await server.serve()
            return 0 if server.started else 1
    async with bootstrap.parts(settings) as parts:
        match settings.role:
            case "migrate":
                print(f"schema at revision {await migrate(parts.engine, settings.app_password_file)}")
            case "rotate-keys":
                await parts.keyring.update(rotate=True)
                print("the next key is published, and signs in 6 minutes")
            case "roles":
                try:
                    account_id = await parts.accounts.set_roles(parsed.account, parsed.roles)
                except InvalidError as error:
                    print(f"{error.field} {error.reason}", file=sys.stderr)
                    return 1
                print(f"account {account_id} has the roles: {', '.join(parsed.roles) or 'none'}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="identity", description="Cheeper's own issuer of tokens.")
    roles = parser.add_subparsers(dest="role", required=True, metavar="role")
    roles.add_parser("migrate", help="make the schema and the database role, and end")
    roles.add_parser("http", help="serve accounts, sessions and keys over HTTP")
    roles.add_parser("rotate-keys", help="prepare the next signing key")
    setting = roles.add_parser("roles", help="set the roles of an account; without any, it has none")
    setting.add_argument("account", help="its e-mail address, or its id")
    setting.add_argument("roles", nargs="*")
    return parser
