"""The credentials of each role on a broker with users and an authorizer."""

from __future__ import annotations

from contextlib import closing, suppress
from functools import partial

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)
from write_api_access import GROUPS, MECHANISM, SECONDS, STRANGER, Installation, attempts, succeeds, write

from cheeper_contracts.kafka.topics import COMMANDS, EVENTS, TOPICS
from cheeper_local.testing.encrypted import ADMIN, Authority, EncryptedKafka
from cheeper_local.waiting import until
from cheeper_runtime.servers.kafka import KafkaConnection
from write_api.kafka.access import ACCESS, AccessError, ensure_access
from write_api.kafka.topics import TopicAdmin, admin_client, describe
from write_api.relay.kafka.event_log import EventLog
from write_api.relay.numbering import LastSent

pytestmark = pytest.mark.extended

MAY = {
    "http": {"write cheeper.commands"},
    "worker": {
        *("read cheeper.commands", "move cheeper.worker", "write cheeper.dead-letters"),
        *("create cheeper.commands", "create cheeper.dead-letters"),
    },
    "process-manager": {
        *("read cheeper.events", "move cheeper.process-manager", "write cheeper.dead-letters"),
        *("write cheeper.commands", "create cheeper.commands", "create cheeper.dead-letters"),
    },
    "relay": {
        *("read cheeper.events", "write cheeper.events", "create cheeper.events"),
        *("truncate cheeper.events", "delete cheeper.events"),
    },
    "inspector": {"read cheeper.commands", "read cheeper.events", "read cheeper.dead-letters"},
    "projector": {
        *("read cheeper.events", "read cheeper.commands", "write cheeper.dead-letters"),
        *("move cheeper.projector.redis", "delete the group cheeper.projector.redis"),
    },
    "exporter": set(),
    STRANGER: set(),
}
"""Everything that each credential is good for, of what `attempts` tries."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def broker(authority, tmp_path_factory):
    kafka = EncryptedKafka(tmp_path_factory.mktemp("kafka"), authority)
    try:
        kafka.start()
        kafka.add_user(ADMIN, "admin")
        yield kafka
    finally:
        kafka.stop()


@pytest.fixture
def installation(broker, authority, tmp_path):
    return Installation(broker, authority.file, tmp_path)


@pytest.mark.parametrize("role", MAY)
def test_a_stolen_credential_is_refused_everything_but_its_own(installation, role):
    """Only the relay writes events, only http and the process manager write commands, and nobody widens its grants."""
    connection = installation.connection(role)
    tried = attempts(installation, connection, admin_client(connection))
    assert MAY[role] <= tried.keys()
    assert {name for name, attempt in tried.items() if succeeds(attempt)} == MAY[role]


def test_each_role_has_its_place_in_the_table():
    """A role that is new to the table is new to these tests, too."""
    assert MAY.keys() - {STRANGER} == ACCESS.keys()


def test_the_exporter_sees_how_far_topics_and_groups_are(installation):
    """Metrics are made of that, without a right to the messages."""
    admin, topic = (
        admin_client(installation.connection("exporter")),
        TopicPartition(COMMANDS.named(installation.prefix), 0),
    )
    assert admin.list_offsets({topic: OffsetSpec.latest()})[topic].result(SECONDS).offset == 1
    groups = {each.group_id for each in admin.list_consumer_groups().result(SECONDS).valid}
    assert groups == {f"{installation.prefix}{group}" for group in GROUPS}
    wanted = ConsumerGroupTopicPartitions(installation.user("worker"))
    (found,) = admin.list_consumer_group_offsets([wanted])[wanted.group_id].result(SECONDS).topic_partitions
    assert (found.topic, found.offset) == (topic.topic, 1)


def test_topics_that_were_lost_are_created_again_by_their_own_roles(installation):
    """After a wipe of Kafka nobody has to run `migrate`, as before there were users."""
    names = [topic.named(installation.prefix) for topic in TOPICS]
    for deleted in installation.admin.delete_topics(names).values():
        deleted.result(SECONDS)
    for topic in TOPICS:
        until(lambda topic=topic: describe(installation.admin, topic, installation.prefix) is None, what=topic.name)
    worker = installation.connection("worker")
    TopicAdmin(worker, COMMANDS, installation.prefix, ACCESS["worker"].creates).create_missing()
    EventLog(installation.connection("relay"), installation.prefix).create_missing()
    for topic in TOPICS:
        until(partial(describe, installation.admin, topic, installation.prefix), what=topic.name)
    installation.fill()


def test_the_relay_can_empty_and_recreate_its_log(installation):
    """It needs both after a restore, with its own credentials, and reads the end of its log."""
    log = EventLog(installation.connection("relay"), installation.prefix)
    assert log.truncate()[0] == 1
    assert log.first_offsets()[0] == 1
    before = log.topic_id()
    log.recreate()
    assert log.topic_id() not in {before, None}
    installation.fill()

    def has_message():
        with suppress(KafkaException):  # of a client that knows the leaders of the old topic
            return log.high_water_marks()[0] == 1

    until(has_message, what="the message")
    nothing = LastSent(topic_id=log.topic_id(), last_offset=-1, last_sequence=0)
    with closing(log.tail({0: nothing}, thorough=False)) as tail:
        assert tail.read() == []  # what it finds there is from no relay


def test_grants_that_are_not_in_the_table_are_revoked(installation):
    """A release that needs less takes the rest from its roles, and a password is replaced by the one in the file."""
    http, events = installation.user("http"), EVENTS.named(installation.prefix)
    binding = AclBinding(
        *(ResourceType.TOPIC, events, ResourcePatternType.LITERAL, f"User:{http}"),
        *("*", AclOperation.WRITE, AclPermissionType.ALLOW),
    )
    installation.admin.create_acls([binding])[binding].result(SECONDS)
    connection = installation.connection("http")
    until(lambda: succeeds(partial(write, connection, events)), what="the additional grant")
    installation.grant()
    until(lambda: not succeeds(partial(write, connection, events)), what="the revocation")
    (installation.passwords / "http").write_text("a new password")
    installation.grant()
    assert succeeds(partial(write, connection, COMMANDS.named(installation.prefix)))


def test_who_may_not_grant_is_told_what_to_do(installation):
    """`migrate` with the credentials of a role ends with a sentence, instead of trying for ever."""
    with pytest.raises(AccessError, match=r"super\.users"):
        ensure_access(
            admin_client(installation.connection("worker")), installation.passwords, MECHANISM, installation.prefix
        )


def test_a_broker_without_users_is_reported(kafka_bootstrap, installation):
    """Grants that nobody enforces would protect nothing."""
    with pytest.raises(AccessError, match="authorizer"):
        ensure_access(
            admin_client(KafkaConnection(kafka_bootstrap)), installation.passwords, MECHANISM, installation.prefix
        )
