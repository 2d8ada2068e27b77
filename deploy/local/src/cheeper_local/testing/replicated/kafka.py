"""Kafka with three brokers, each of which is a controller too: every partition is on all three."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

from confluent_kafka import KafkaException
from typing_extensions import override

from cheeper_local.servers import Kafka, kafka_protocol
from cheeper_local.servers.kafka import new_cluster_id
from cheeper_local.system.ports import HOST, free_port
from cheeper_local.testing.replicated.members import Members

MEMBERS: Final = 3
IN_SYNC: Final = 2

REPLICATED: Final = {
    "default.replication.factor": str(MEMBERS),
    "min.insync.replicas": str(IN_SYNC),
    "offsets.topic.replication.factor": str(MEMBERS),
    "transaction.state.log.replication.factor": str(MEMBERS),
    "transaction.state.log.min.isr": str(IN_SYNC),
    "share.coordinator.state.topic.replication.factor": str(MEMBERS),
    "share.coordinator.state.topic.min.isr": str(IN_SYNC),
}
"""The settings of the brokers of a cluster. A topic that is made without numbers of its own gets these."""


class _Broker(Kafka):
    """A broker that starts beside two others, on a machine that may be busy."""

    start_seconds: ClassVar[float] = 300.0


class KafkaCluster(Members[Kafka]):
    """Three brokers, with their data in `folder`."""

    def __init__(self, folder: Path) -> None:
        brokers = [_Broker(folder / f"kafka-{number}", fast=True) for number in range(1, MEMBERS + 1)]
        super().__init__(brokers)
        controllers = [f"{HOST}:{free_port({broker.port for broker in brokers})}" for _ in brokers]
        cluster_id = new_cluster_id()
        for number, (broker, controller) in enumerate(zip(brokers, controllers, strict=True), start=1):
            broker.cluster_id = cluster_id
            broker.more |= REPLICATED
            broker.more |= {
                "node.id": str(number),
                "controller.quorum.voters": ",".join(f"{n}@{one}" for n, one in enumerate(controllers, start=1)),
                "listeners": f"PLAINTEXT://{broker.address},CONTROLLER://{controller}",
            }

    @property
    @override
    def url(self) -> str:
        return ",".join(broker.address for broker in self.members)

    @override
    def is_whole(self) -> bool:
        with suppress(KafkaException):
            metadata = kafka_protocol.admin(self.url).list_topics(timeout=5)
            partitions = [one for topic in metadata.topics.values() for one in topic.partitions.values()]
            return len(metadata.brokers) == MEMBERS and all(len(one.isrs) == MEMBERS for one in partitions)
        return False

    def leader(self, topic: str, partition: int) -> Kafka:
        """Return the broker that leads a partition."""
        found = kafka_protocol.admin(self.url).list_topics(topic, timeout=5).topics[topic].partitions[partition]
        return self.members[found.leader - 1]
