"""Cheeper's topics on the broker: made where they are missing, and checked.

All functions block, for at most some seconds, and raise KafkaException where the broker is away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec, TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from cheeper_contracts.topics import TOPICS, Topic

SECONDS: Final = 3.0
_BROKERS_DEFAULT: Final = -1

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger()


class TopicMismatchError(Exception):
    """A topic has another number of partitions than the contracts say. The text tells what to do."""


def error_words(error: KafkaError) -> str:
    """What librdkafka calls an error of this code, for anyone to read: its text for this very one may name hosts."""
    return KafkaError(error.code()).str()


def admin_client(bootstrap_servers: str) -> AdminClient:
    """A client for questions about topics."""
    return AdminClient(
        {"bootstrap.servers": bootstrap_servers, "log_level": 2, "socket.timeout.ms": int(SECONDS * 1000)}
    )


class Admin:
    """Asks a broker by a client that is made anew after a question that failed: one that had met a frozen broker was
    seen to find it away for a minute longer (librdkafka 2.16).
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._client: AdminClient | None = None

    def ask(self, question: Callable[Concatenate[AdminClient, P], T], *given: P.args, **named: P.kwargs) -> T:
        """What the question, one of the functions of this module or the like, gets of the broker. It may raise."""
        client, self._client = self._client, None
        if client is None:  # and not where it is false, which one is that has no events waiting
            client = admin_client(self._bootstrap_servers)
        found = question(client, *given, **named)
        self._client = client
        return found


def ensure_topics(admin: AdminClient, prefix: str) -> None:
    """Make the topics that are missing, and give them the settings that they lack. Doing so again changes nothing.

    Raises TopicMismatchError.
    """
    there = admin.list_topics(timeout=SECONDS).topics
    for topic in TOPICS:
        found = there.get(topic.named(prefix))
        if found is None:
            _create(admin, topic, prefix)
        else:
            _check(topic, topic.named(prefix), len(found.partitions))
            _configure(admin, topic, prefix)


def describe(admin: AdminClient, topic: Topic, prefix: str) -> str | None:
    """The id of the topic, which is another one when it was deleted and made again; none if it is missing.

    Raises TopicMismatchError.
    """
    name = topic.named(prefix)
    try:
        found = admin.describe_topics(TopicCollection([name]), request_timeout=SECONDS)[name].result(SECONDS)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None
        raise
    _check(topic, name, len(found.partitions))
    return str(found.topic_id)


def offsets(admin: AdminClient, topic: Topic, prefix: str) -> tuple[dict[int, int], dict[int, int]]:
    """The first and the next offset of each partition, as the broker says."""
    first, latest = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]
    return _offsets(admin, topic, prefix, first), _offsets(admin, topic, prefix, latest)


def ends(admin: AdminClient, topic: Topic, prefix: str) -> dict[int, int]:
    """The next offset of each partition, as the broker says."""
    return _offsets(admin, topic, prefix, OffsetSpec.latest())  # type: ignore[no-untyped-call]


def _offsets(admin: AdminClient, topic: Topic, prefix: str, spec: OffsetSpec) -> dict[int, int]:
    wanted = {TopicPartition(topic.named(prefix), partition): spec for partition in range(topic.partitions)}
    found = admin.list_offsets(wanted, request_timeout=SECONDS)
    return {place.partition: future.result(SECONDS).offset for place, future in found.items()}


def _create(admin: AdminClient, topic: Topic, prefix: str) -> None:
    name = topic.named(prefix)
    new = NewTopic(name, topic.partitions, _BROKERS_DEFAULT, config=topic.config)
    try:
        admin.create_topics([new], request_timeout=SECONDS)[name].result(SECONDS)
        log.info("topic made", topic=name, partitions=topic.partitions)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was faster
            raise


def _check(topic: Topic, name: str, partitions: int) -> None:
    if partitions != topic.partitions:
        raise TopicMismatchError(
            f"the topic {name} has {partitions} partitions and not {topic.partitions}: a key's partition would change. "
            "Delete the topic, and the relay fills it again (commands in it are lost)"
        )


def _configure(admin: AdminClient, topic: Topic, prefix: str) -> None:
    name = topic.named(prefix)
    resource = ConfigResource(ResourceType.TOPIC, name)
    found = admin.describe_configs([resource], request_timeout=SECONDS)[resource].result(SECONDS)
    wrong = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        for key, value in topic.config.items()
        if key not in found or found[key].value != value
    ]
    if wrong:
        change = ConfigResource(ResourceType.TOPIC, name, incremental_configs=wrong)
        admin.incremental_alter_configs([change], request_timeout=SECONDS)[change].result(SECONDS)
        log.info("topic configured", topic=name, settings={entry.name: entry.value for entry in wrong})
