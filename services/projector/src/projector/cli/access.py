"""`projector access`.

`access mongo` makes the users in MongoDB. Redis and the server of limits read their users from a file, whose text
`access redis` and `access limits` print.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Final

from cheeper_runtime import logs
from projector import bootstrap
from projector.access import LIMITS
from projector.cli.options import SILENT
from projector.settings import Settings
from projector.stores.base import StoreUnavailableError

ROLES: Final = ("access",)


def add_to(roles: Any) -> None:
    """Add the command to the command line's subparsers."""
    access = roles.add_parser("access", help="make the users of a server: in MongoDB, or as text for a file of Redis")
    access.add_argument("server", choices=(*bootstrap.STORES, LIMITS))


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    logs.configure(f"projector {options.role}", settings.log_format, settings.log_level, silent=SILENT)
    if settings.store_passwords_folder is None:
        sys.stderr.write("projector: STORE_PASSWORDS_FOLDER is not set\n")
        return 2
    try:
        sys.stdout.write(bootstrap.users(settings, options.server, settings.store_passwords_folder))
    except StoreUnavailableError as error:
        sys.stderr.write(f"projector: {error}\n")
        return 1
    return 0
