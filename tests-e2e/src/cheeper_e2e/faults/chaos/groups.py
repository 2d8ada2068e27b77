"""The members of consumer groups and their partitions, as the broker reports them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from cheeper_contracts.partitions import PARTITIONS

_ASKING_SECONDS: Final = 10
_GROUPS: Final = {
    "projector": ("cheeper.projector.redis", "cheeper.projector.mongo"),
    "worker": ("cheeper.worker",),
}


class Groups:
    """The consumer groups of the roles whose replicas share partitions."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        servers = environment["KAFKA_BOOTSTRAP_SERVERS"]
        self._broker: dict[str, str | int | float | bool] = {"bootstrap.servers": servers, "log_level": 0}
        self._prefix = environment.get("TOPIC_PREFIX", "")

    def shared_among(self, role: str, members: int) -> bool:
        """Return True if exactly so many members have all partitions in each group of the role."""
        try:
            found = self._described(role)
        except KafkaException:  # a broker that is starting does not say
            return False
        return all(
            group.state == ConsumerGroupState.STABLE
            and len(group.members) == members
            and sum(len(member.assignment.topic_partitions) for member in group.members) == PARTITIONS
            for group in found
        )

    def described(self, role: str) -> str:
        """Return a description of the role's groups: state, and each member's number of partitions."""
        try:
            found = self._described(role)
        except KafkaException as error:
            return str(error)
        return "; ".join(
            f"{group.group_id} {group.state.name} "
            + " ".join(f"{member.member_id}:{len(member.assignment.topic_partitions)}" for member in group.members)
            for group in found
        )

    def _described(self, role: str) -> list[Any]:  # descriptions, whose type is not exported
        names = [self._prefix + name for name in _GROUPS[role]]
        # A new client each time: one that knew a coordinator before the broker was killed asks in vain afterwards.
        admin = AdminClient(self._broker)  # kept until the results are there, which else never come
        asked = admin.describe_consumer_groups(names, request_timeout=_ASKING_SECONDS)
        return [future.result() for future in asked.values()]
