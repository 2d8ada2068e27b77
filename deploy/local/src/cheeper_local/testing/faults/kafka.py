"""Faults of Kafka on a real server, each for as long as a block lasts."""

from __future__ import annotations

import re
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Any, Final

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from cheeper_local.servers import Kafka
from cheeper_local.system.ports import HOST, free_port
from cheeper_local.testing.faults.base import frozen
from cheeper_local.waiting import until

_BROKER: Final = 1
_ABSENT_BROKER: Final = 2


class KafkaFaults:
    """The faults of a Kafka of the test's own, which restarts with an authorizer that allows everything at first."""

    def __init__(self, server: Kafka) -> None:
        self._server = server
        server.stop()
        server.more["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
        server.more["allow.everyone.if.no.acl.found"] = "true"
        self._controller = f"{HOST}:{free_port({server.port})}"
        server.more["controller.quorum.voters"] = f"{_BROKER}@{self._controller}"
        server.more["listeners"] = f"PLAINTEXT://{server.address},CONTROLLER://{self._controller}"
        server.start()
        self.url = server.url
        self._admin = AdminClient({"bootstrap.servers": self.url})

    def frozen(self) -> AbstractContextManager[None]:
        """Suspend it: it accepts connections, and responds to nothing."""
        return frozen(self._server)

    def refuses_writes(self, topic: str) -> AbstractContextManager[None]:
        """Deny everyone writes to the topic."""
        return self._denied(ResourceType.TOPIC, topic, AclOperation.WRITE)

    def refuses_reads(self, topic: str) -> AbstractContextManager[None]:
        """Deny everyone reads of the topic."""
        return self._denied(ResourceType.TOPIC, topic, AclOperation.READ)

    def refuses_group(self, group: str) -> AbstractContextManager[None]:
        """Deny everyone membership in the group."""
        return self._denied(ResourceType.GROUP, group, AclOperation.READ)

    def make_with_an_absent_replica(self, topics: Mapping[str, int]) -> None:
        """Make topics with these numbers of partitions, each with a replica on another broker that does not run."""
        replicas = [_BROKER, self._absent]
        new = [
            NewTopic(name, partitions, replica_assignment=[replicas] * partitions)
            for name, partitions in topics.items()
        ]
        for made in self._admin.create_topics(new).values():
            made.result(20)

    @contextmanager
    def too_few_replicas(self, topic: str) -> Iterator[None]:
        """Let the topic, made with an absent replica, accept only messages that both replicas have."""
        self._want_in_sync(topic, 2)
        yield
        self._want_in_sync(topic, 1)

    def _want_in_sync(self, topic: str, replicas: int) -> None:
        entry = ConfigEntry("min.insync.replicas", str(replicas), incremental_operation=AlterConfigOpType.SET)
        change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        self._admin.incremental_alter_configs([change])[change].result(20)

    @cached_property
    def _absent(self) -> int:
        """The number of a broker that was once in the cluster. A partition cannot have a replica on an unknown
        broker, and a minimum of replicas in sync above the number of replicas has no effect.
        """
        there = (self._server.data / "meta.properties").read_text()
        own_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        another = Kafka(self._server.folder / "absent", fast=True)
        another.more.update(
            {
                "process.roles": "broker",
                "node.id": str(_ABSENT_BROKER),
                "controller.quorum.voters": f"{_BROKER}@{self._controller}",
                "listeners": f"PLAINTEXT://{another.address}",
            }
        )
        another.data.mkdir(parents=True)
        (another.data / "meta.properties").write_text(
            re.sub("directory.id=.*", f"directory.id={own_id}", there).replace(
                f"node.id={_BROKER}", f"node.id={_ABSENT_BROKER}"
            )
        )
        another.start()
        another.stop()  # cleanly: a killed one would still be listed for some seconds
        until(
            lambda: set(self._admin.list_topics(timeout=10).brokers) == {_BROKER},
            30,
            what="the other broker leaves the cluster",
        )
        another.wipe()
        return _ABSENT_BROKER

    @contextmanager
    def _denied(self, kind: ResourceType, name: str, what: AclOperation) -> Iterator[None]:
        """Deny an operation. A resource with a rule allows nothing else, so a second rule allows the rest."""
        rules = [
            AclBinding(kind, name, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", *rule)
            for rule in ((what, AclPermissionType.DENY), (AclOperation.ALL, AclPermissionType.ALLOW))
        ]
        for made in self._admin.create_acls(rules).values():
            made.result(20)
        yield
        anyone: Any = None  # any principal and host, which its types do not know
        any_of = AclBindingFilter(
            kind, name, ResourcePatternType.LITERAL, anyone, anyone, AclOperation.ANY, AclPermissionType.ANY
        )
        for removed in self._admin.delete_acls([any_of]).values():
            removed.result(20)
