"""An installation on a broker with users and an authorizer, and all that a thief of credentials may try there."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from functools import partial
from uuid import uuid4

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from cheeper_contracts.kafka.topics import COMMANDS, EVENTS, TOPICS
from cheeper_local.waiting import until
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.kafka.access import ACCESS, ensure_access
from write_api.kafka.topics import admin_client, describe, ensure_topics

MECHANISM = "scram-sha-512"
STRANGER = "stranger"
SECONDS = 60
REFUSALS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError._NOENT,
}

GROUPS = {
    "cheeper.worker": COMMANDS,
    "cheeper.process-manager": EVENTS,
    "cheeper.projector.redis": EVENTS,
    "cheeper.relay": EVENTS,
}


class Installation:
    """An installation of its own on a broker: topics with a message each, users and grants."""

    def __init__(self, broker, ca_file, folder):
        self.broker, self.prefix = broker, f"t{uuid4().hex}."
        self._ca_file = ca_file
        self.passwords = folder
        for role in (*ACCESS, STRANGER):
            (folder / role).write_text(f"the password of {role}\n")
        self.admin = admin_client(KafkaConnection(broker.url))
        ensure_topics(self.admin, self.prefix)
        self.grant()
        broker.add_user(self.user(STRANGER), f"the password of {STRANGER}")
        self.fill()
        self._make_groups()

    def user(self, role):
        return f"{self.prefix}cheeper.{role}"

    def grant(self):
        ensure_access(self.admin, self.passwords, MECHANISM, self.prefix)

    def _make_groups(self):
        """Make each group, as its consumers do; a broker that has just started has no coordinator for a moment."""
        for group, topic in GROUPS.items():
            made = partial(move, self.admin, self.prefix + group, topic.named(self.prefix))
            until(lambda made=made: _is_done(made), what=group)

    def connection(self, role):
        return KafkaConnection(
            self.broker.secure, "sasl_ssl", MECHANISM, self.user(role), self.passwords / role, self._ca_file
        )

    def fill(self):
        """Send a message to each topic."""
        producer = Producer({"bootstrap.servers": self.broker.url})
        for topic in TOPICS:
            until(partial(describe, self.admin, topic, self.prefix), what=topic.name)
            producer.produce(topic.named(self.prefix), b"a message", partition=0)
        assert producer.flush(SECONDS) == 0


def write(connection, topic):
    reports = []
    producer = Producer({**connection.client_settings(), "log_level": 0})
    producer.produce(topic, b"forged", partition=0, on_delivery=lambda error, _: reports.append(error))
    assert producer.flush(SECONDS) == 0
    if reports[0] is not None:
        raise KafkaException(reports[0])


def read(connection, topic):
    """Read the first message of a topic, without a membership, for which another privilege is needed."""
    settings = {"group.id": "none", "enable.auto.commit": False, "auto.offset.reset": "error", "log_level": 0}
    with closing(Consumer({**connection.client_settings(), **settings})) as consumer:
        described = consumer.list_topics(topic, timeout=SECONDS).topics[topic]
        if described.error is not None:  # which an assignment would not report
            raise KafkaException(described.error)
        consumer.assign([TopicPartition(topic, 0, 0)])
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            message = consumer.poll(1)
            error = None if message is None else message.error()
            if message is not None and error is None:
                return
            if error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise KafkaException(error)
    raise TimeoutError(topic)


def move(admin, group, topic):
    """Set the offset from which a group goes on."""
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 1)])
    for moved in admin.alter_consumer_group_offsets([wanted])[group].result(SECONDS).topic_partitions:
        if moved.error is not None:
            raise KafkaException(moved.error)


def configure(admin, topic):
    entry = ConfigEntry("retention.ms", "1", incremental_operation=AlterConfigOpType.SET)
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([change])[change].result(SECONDS)


def create(admin, topic):
    """Create a topic; that it exists already is found only by those who may."""
    try:
        admin.create_topics([NewTopic(topic, 1)])[topic].result(SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def grant(admin, user):
    literal, allow = ResourcePatternType.LITERAL, AclPermissionType.ALLOW
    wanted = AclBinding(ResourceType.TOPIC, "x", literal, f"User:{user}", "*", AclOperation.ALL, allow)
    admin.create_acls([wanted])[wanted].result(SECONDS)


def set_password(admin, user):
    how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, how, b"mine")])[user].result(SECONDS)


def attempts(installation, connection, admin):
    """Return what a thief would try, by its name, in an order in which one leaves what the next one needs."""
    prefix, user = installation.prefix, installation.user("relay")
    found = {}
    for topic in TOPICS:
        name = topic.named(prefix)
        found[f"read {topic.name}"] = partial(read, connection, name)
        found[f"write {topic.name}"] = partial(write, connection, name)
        found[f"configure {topic.name}"] = partial(configure, admin, name)
        found[f"create {topic.name}"] = partial(create, admin, name)
        truncated = TopicPartition(name, 0, 1)
        found[f"truncate {topic.name}"] = lambda at=truncated: admin.delete_records([at])[at].result(SECONDS)
    for group, topic in GROUPS.items():
        name = prefix + group
        found[f"move {group}"] = partial(move, admin, name, topic.named(prefix))
        found[f"delete the group {group}"] = lambda name=name: admin.delete_consumer_groups([name])[name].result(
            SECONDS
        )
    found["create another topic"] = partial(create, admin, f"{prefix}another")
    found["grant"] = partial(grant, admin, user)
    found["set a password"] = partial(set_password, admin, user)
    for topic in TOPICS:
        name = topic.named(prefix)
        found[f"delete {topic.name}"] = lambda name=name: admin.delete_topics([name])[name].result(SECONDS)
    return found


def succeeds(attempt):
    """Return whether the broker does it. Any error but a refusal is passed on."""
    try:
        attempt()
    except KafkaException as error:
        if error.args[0].code() not in REFUSALS:
            raise
        return False
    return True


def _is_done(request):
    with suppress(KafkaException):
        request()
        return True
    return False
