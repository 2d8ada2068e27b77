"""The users of MongoDB, with its own roles on the databases of the installation's generations."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import structlog
from pymongo import MongoClient

from cheeper_contracts.views.generations import FIRST, database_of
from cheeper_runtime.servers.files import password_of
from projector.access import EXPORTER, WRITES, user_of
from projector.stores.mongo.faults import passing_faults
from projector.stores.mongo.generations import read_registry
from projector.stores.mongo.operations import Document

GENERATIONS: Final = 100
"""A privilege names its database, so each user gets those of so many generations to come."""
_FIGURES: Final[list[dict[str, Any]]] = [
    {"resource": {"cluster": True}, "actions": ["serverStatus", "replSetGetStatus"]},
    {"resource": {"db": "local", "collection": "oplog.rs"}, "actions": ["collStats"]},
]
"""The least that getDiagnosticData works with. The server's own role `clusterMonitor` reads the oplog, so all texts."""

log = structlog.get_logger()


def ensure_users(client: MongoClient[Document], database: str, passwords: Path) -> None:
    """Give each role its user, with the password in its file, and its privileges, and take all others from it.

    The call is idempotent. `database` is the first generation's. The client's own user must be one that manages users.
    Raise StoreUnavailableError.
    """
    with passing_faults():
        last = read_registry(client[database], None).last
        databases = [database_of(database, number) for number in range(FIRST, last + GENERATIONS + 1)]
        roles: dict[str, list[dict[str, Any]]] = {
            role: [{"role": "readWrite" if writes else "read", "db": each} for each in databases]
            for role, writes in WRITES.items()
        }
        figures = user_of(EXPORTER, database)
        there = client.admin.command("rolesInfo", figures)["roles"]
        client.admin.command("updateRole" if there else "createRole", figures, privileges=_FIGURES, roles=[])
        roles[EXPORTER] = [{"role": figures, "db": "admin"}]
        for role, granted in roles.items():
            name = user_of(role, database)
            there = client.admin.command("usersInfo", name)["users"]
            command = "updateUser" if there else "createUser"
            client.admin.command(command, name, pwd=password_of(passwords / role), roles=granted)
            log.info("user up to date", user=name, is_new=not there)
