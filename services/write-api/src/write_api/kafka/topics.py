"""The topics on the broker: created if they are missing, and checked.

All functions block for a few seconds at most, and raise KafkaException if the broker is unavailable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from cheeper_contracts.kafka.topics import TOPICS, Topic
from cheeper_runtime.servers.kafka import KafkaConnection, known
from cheeper_runtime.servers.refusals import refusal

SECONDS: Final = 3.0
_BROKERS_DEFAULT: Final = -1

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger()


class TopicMismatchError(Exception):
    """A topic has fewer partitions than the contracts state. The text says what to do."""


def admin_client(kafka: KafkaConnection, on_error: Callable[[KafkaError], object] = lambda _: None) -> AdminClient:
    """Return a client for requests about topics. Its `poll` passes errors of its connections on."""
    own: dict[str, Any] = {"log_level": 2, "socket.timeout.ms": int(SECONDS * 1000), "error_cb": on_error}
    return AdminClient({**kafka.client_settings(), **own})


class TopicAdmin:
    """Requests about one topic, through a client that is replaced after a request that failed.

    A client that has met a frozen broker takes it for unavailable for up to a minute longer (librdkafka 2.16). The role
    `creates` these topics, of which this may be one.
    """

    def __init__(self, kafka: KafkaConnection, topic: Topic, prefix: str, creates: Sequence[Topic] = ()) -> None:
        self.name = topic.named(prefix)
        self._kafka = kafka
        self.topic = topic
        self._creates = creates
        self._prefix = prefix
        self._client: AdminClient | None = None
        self.refusal: str | None = None
        """Why the brokers refused the last request that failed, or this client them; None for another failure."""

    def create_missing(self) -> None:
        """Create the role's own topics that are missing, as after a wipe of Kafka. Raise TopicMismatchError."""
        for topic in self._creates:
            self.request(create_missing, topic, self._prefix)

    def topic_id(self, seconds: float = SECONDS) -> str | None:
        """Return the topic's id, or None if it is missing. Raise TopicMismatchError."""
        return self.request(describe, self.topic, self._prefix, seconds)

    def high_water_marks(self) -> dict[int, int]:
        """Return the next offset of each partition. Raise TimeoutError if one has no leader."""
        return self.request(_offsets, self.topic, self._prefix, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def first_offsets(self) -> dict[int, int]:
        """Return the first offset of each partition. Raise TimeoutError if one has no leader."""
        return self.request(_offsets, self.topic, self._prefix, OffsetSpec.earliest())  # type: ignore[no-untyped-call]

    def request(self, function: Callable[Concatenate[AdminClient, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function of this module, or one like it, with the client. Its errors are passed on."""
        client, self._client = self._client, None
        if client is None:  # `or` would not do: a client without waiting events is false
            client = admin_client(self._kafka, self._refused)
        self.refusal = None
        try:
            result = function(client, *args, **kwargs)
        except (KafkaException, TimeoutError):
            client.poll(0)
            raise
        self._client = client
        return result

    def _refused(self, error: KafkaError) -> None:
        self.refusal = refusal(KafkaException(error)) or self.refusal


def ensure_topics(admin: AdminClient, prefix: str) -> None:
    """Create all topics that are missing, and set the settings that differ. Raise TopicMismatchError.

    The call is idempotent.
    """
    for topic in TOPICS:
        if not create_missing(admin, topic, prefix):
            _configure(admin, topic, prefix)


def create_missing(admin: AdminClient, topic: Topic, prefix: str) -> bool:
    """Create the topic with its settings if it is missing. Return True if it was. Raise TopicMismatchError."""
    missing = describe(admin, topic, prefix) is None
    if missing:
        _create(admin, topic, prefix)
    return missing


def describe(admin: AdminClient, topic: Topic, prefix: str, seconds: float = SECONDS) -> str | None:
    """Return the topic's id, which changes if the topic is deleted and created again, or None if it is missing.

    Raise TopicMismatchError.
    """
    name = topic.named(prefix)
    try:
        description = admin.describe_topics(TopicCollection([name]), request_timeout=seconds)[name].result(seconds)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None
        raise
    _check(topic, name, len(description.partitions))
    return str(description.topic_id)


def _offsets(admin: AdminClient, topic: Topic, prefix: str, spec: OffsetSpec) -> dict[int, int]:
    partitions = {TopicPartition(topic.named(prefix), partition): spec for partition in range(topic.partitions)}
    results = admin.list_offsets(partitions, request_timeout=SECONDS)
    return known({partition.partition: future.result(SECONDS).offset for partition, future in results.items()})


def _create(admin: AdminClient, topic: Topic, prefix: str) -> None:
    name = topic.named(prefix)
    new = NewTopic(name, topic.partitions, _BROKERS_DEFAULT, config=topic.config)
    try:
        admin.create_topics([new], request_timeout=SECONDS)[name].result(SECONDS)
        log.info("topic created", topic=name, partitions=topic.partitions)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process has created it
            raise


def _check(topic: Topic, name: str, partitions: int) -> None:
    if partitions < topic.partitions:
        raise TopicMismatchError(
            f"the topic {name} has {partitions} partitions and not {topic.partitions}: some keys have no partition. "
            "Delete the topic, and the relay fills it again (commands in it are lost)"
        )
    if partitions > topic.partitions:
        _warn_of_more(name, partitions, topic.partitions)


@cache
def _warn_of_more(name: str, partitions: int, known: int) -> None:
    """Log, once, that a topic has more partitions. Each message names its partition, so no key changes its place."""
    log.warning(
        "a topic has more partitions than are used; the others stay empty",
        topic=name,
        partitions=partitions,
        used=known,
    )


def _configure(admin: AdminClient, topic: Topic, prefix: str) -> None:
    name = topic.named(prefix)
    resource = ConfigResource(ResourceType.TOPIC, name)
    current = admin.describe_configs([resource], request_timeout=SECONDS)[resource].result(SECONDS)
    wrong = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        for key, value in topic.config.items()
        if key not in current or current[key].value != value
    ]
    if wrong:
        change = ConfigResource(ResourceType.TOPIC, name, incremental_configs=wrong)
        admin.incremental_alter_configs([change], request_timeout=SECONDS)[change].result(SECONDS)
        log.info("topic configured", topic=name, settings={entry.name: entry.value for entry in wrong})
