"""Faults of Kafka that pass, brought about on a real one, each for as long as a block lasts."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from cheeper_local.servers import Kafka


class KafkaFaults:
    """Over a Kafka of the test's own, which is started again so that it asks who may do what: everybody at first."""

    def __init__(self, server: Kafka) -> None:
        self._server = server
        server.stop()
        server.more["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
        server.more["allow.everyone.if.no.acl.found"] = "true"
        server.start()
        self.url = server.url
        self._admin = AdminClient({"bootstrap.servers": self.url})

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections, and answers nothing."""
        assert self._server.pid is not None  # noqa: S101 - it was started
        os.kill(self._server.pid, signal.SIGSTOP)
        try:
            yield
        finally:  # a test that fails must not leave it so to those after it
            os.kill(self._server.pid, signal.SIGCONT)

    def refuses_writes(self, topic: str) -> AbstractContextManager[None]:
        """Nobody may write to the topic."""
        return self._denied(ResourceType.TOPIC, topic, AclOperation.WRITE)

    def refuses_reads(self, topic: str) -> AbstractContextManager[None]:
        """Nobody may read the topic."""
        return self._denied(ResourceType.TOPIC, topic, AclOperation.READ)

    def refuses_group(self, group: str) -> AbstractContextManager[None]:
        """Nobody may be in the group."""
        return self._denied(ResourceType.GROUP, group, AclOperation.READ)

    @contextmanager
    def _denied(self, kind: ResourceType, name: str, what: AclOperation) -> Iterator[None]:
        """A resource with any rule is open by its rules alone, so everything else is allowed by another one."""
        rules = [
            AclBinding(kind, name, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", *rule)
            for rule in ((what, AclPermissionType.DENY), (AclOperation.ALL, AclPermissionType.ALLOW))
        ]
        for made in self._admin.create_acls(rules).values():
            made.result(20)
        yield
        who: Any = None  # whoever and from wherever, which its types forget
        any_of = AclBindingFilter(
            kind, name, ResourcePatternType.LITERAL, who, who, AclOperation.ANY, AclPermissionType.ANY
        )
        for removed in self._admin.delete_acls([any_of]).values():
            removed.result(20)
