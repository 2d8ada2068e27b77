"""MongoDB as a replica set of three, which elects another primary by itself."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from typing_extensions import override

from cheeper_local.servers import Mongo
from cheeper_local.servers.mongo import REPLICA_SET
from cheeper_local.testing.replicated.members import Members
from cheeper_local.waiting import HANG_SECONDS, until

Client = MongoClient[dict[str, Any]]

MEMBERS: Final = 3
ELECTION_SECONDS: Final = 4
"""The silence after which the others elect a primary. MongoDB's default is 10, for which a test need not wait."""
_PRIMARY, _SECONDARY = 1, 2


class _Member(Mongo):
    """A member, which is ready before the set is made."""

    @override
    def is_ready(self) -> bool:
        return bool(_hello(self))


class MongoSet(Members[Mongo]):
    """Three members, with their data in `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__([_Member(folder / f"mongo-{number}", fast=True) for number in range(MEMBERS)])

    @property
    @override
    def url(self) -> str:
        return f"mongodb://{','.join(member.address for member in self.members)}/?replicaSet={REPLICA_SET}"

    @override
    def join(self) -> None:
        config = {
            "_id": REPLICA_SET,
            "members": [{"_id": number, "host": member.address} for number, member in enumerate(self.members)],
            "settings": {"electionTimeoutMillis": ELECTION_SECONDS * 1_000},
        }
        with _client(self.members[0], seconds=HANG_SECONDS) as client:
            client.admin.command("replSetInitiate", config)

    @override
    def is_whole(self) -> bool:
        primary = self._primary()
        if primary is None:
            return False
        with suppress(PyMongoError), _client(primary) as client:
            states = [member["state"] for member in client.admin.command("replSetGetStatus")["members"]]
            return sorted(states) == [_PRIMARY, *[_SECONDARY] * (MEMBERS - 1)]
        return False

    def primary(self) -> Mongo:
        """Return the member that takes writes, once there is one."""
        found = until(self._primary, what="there is a primary")
        assert found is not None  # noqa: S101 - `until` returns what is true
        return found

    def _primary(self) -> Mongo | None:
        return next((member for member in self.members if _hello(member).get("isWritablePrimary")), None)


def _client(member: Mongo, seconds: float = 2.0) -> Client:
    return MongoClient(member.url, serverSelectionTimeoutMS=1_000, socketTimeoutMS=int(seconds * 1_000))


def _hello(member: Mongo) -> dict[str, Any]:
    with suppress(PyMongoError), _client(member) as client:
        return client.admin.command("hello")
    return {}
