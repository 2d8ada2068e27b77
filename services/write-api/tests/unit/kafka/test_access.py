"""The users and grants of the roles. A real broker enforces them in integration/kafka."""

from concurrent.futures import Future

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramMechanism,
)

from cheeper_contracts.kafka.topics import COMMANDS, DEAD_LETTERS, EVENTS, TOPICS
from write_api.kafka.access import ACCESS, AccessError, ensure_access, grants, passwords_folder, user_of

PREFIX = "p."


@pytest.fixture
def folder(tmp_path):
    for role in ACCESS:
        (tmp_path / role).write_text(f"of {role}\n")
    return tmp_path


MANY_GROUPS = {
    ("projector", "p.cheeper.projector.", AclOperation.READ),
    ("projector", "p.cheeper.projector.", AclOperation.DELETE),
    ("exporter", "p.cheeper.", AclOperation.DESCRIBE),
}
"""The grants that are for all groups whose name has this beginning."""


class Broker:
    """An admin client of a broker with users and grants, which raises `error` if it is not None."""

    def __init__(self, error=None):
        self.grants, self.passwords, self.changes = set(), {}, 0
        self._error = error

    def describe_acls(self, wanted, request_timeout):
        del request_timeout
        return self._done([each for each in self.grants if each.principal == wanted.principal])

    def create_acls(self, new, request_timeout):
        del request_timeout
        self.grants |= set(new)
        self.changes += len(new)
        return {each: self._done(None) for each in new}

    def delete_acls(self, old, request_timeout):
        del request_timeout
        found = {each: [has for has in self.grants if parts(has) == parts(each)] for each in old}
        for each in found.values():
            self.grants -= set(each)
            self.changes += len(each)
        return {each: self._done(deleted) for each, deleted in found.items()}

    def alter_user_scram_credentials(self, users, request_timeout):
        del request_timeout
        for each in users:
            self.passwords[each.user] = (each.password, each.scram_credential_info.mechanism)
        return {each.user: self._done(None) for each in users}

    def _done(self, result):
        future = Future()
        if self._error is None:
            future.set_result(result)
        else:
            future.set_exception(KafkaException(KafkaError(self._error)))
        return future


def parts(grant):
    return (
        *(grant.restype, grant.name, grant.resource_pattern_type),
        *(grant.principal, grant.host, grant.operation, grant.permission_type),
    )


def who_may(operation, topic):
    """Return the roles that may do this with the topic."""
    return {
        role
        for role in ACCESS
        for grant in grants(role, PREFIX)
        if (grant.restype, grant.name, grant.operation) == (ResourceType.TOPIC, topic.named(PREFIX), operation)
    }


def test_one_role_writes_events_and_two_write_commands():
    """A topic is as trustworthy as the least of the roles that write to it."""
    assert who_may(AclOperation.WRITE, EVENTS) == {"relay"}
    assert who_may(AclOperation.WRITE, COMMANDS) == {"http", "process-manager"}
    assert who_may(AclOperation.WRITE, DEAD_LETTERS) == {"worker", "process-manager", "projector"}


def test_one_role_deletes_events_and_nobody_deletes_anything_else():
    """The relay fills its log again; commands would be lost."""
    assert [who_may(AclOperation.DELETE, topic) for topic in (EVENTS, COMMANDS, DEAD_LETTERS)] == [
        {"relay"},
        set(),
        set(),
    ]


@pytest.mark.parametrize("role", ACCESS)
def test_grants_are_of_topics_and_groups_of_this_installation_alone(role):
    """None is of the cluster, of settings, or of a name that another installation on the same broker has."""
    allowed = {AclOperation.READ, AclOperation.WRITE, AclOperation.CREATE, AclOperation.DELETE, AclOperation.DESCRIBE}
    for grant in grants(role, PREFIX):
        assert grant.restype in {ResourceType.TOPIC, ResourceType.GROUP}
        assert grant.operation in allowed
        assert grant.name.startswith(f"{PREFIX}cheeper.")
        assert grant.principal == f"User:{user_of(role, PREFIX)}"
        if grant.resource_pattern_type == ResourcePatternType.PREFIXED:
            assert grant.restype == ResourceType.GROUP
            assert (role, grant.name, grant.operation) in MANY_GROUPS


def test_the_projectors_groups_are_its_own(folder):
    """The beginning of their names is that of no other role's group."""
    broker = Broker()
    ensure_access(broker, folder, "scram-sha-512", "")
    beginnings = {"cheeper.projector.", "cheeper."}
    others = {grant.name for grant in broker.grants if grant.restype == ResourceType.GROUP} - beginnings
    assert others == {"cheeper.worker", "cheeper.process-manager", "cheeper.relay", "cheeper.inspector"}
    assert not any(name.startswith("cheeper.projector.") for name in others)


@pytest.mark.parametrize("mechanism", ["scram-sha-512", "scram-sha-256"])
def test_each_role_gets_its_user_and_its_grants_once(folder, mechanism):
    """Another call changes no grant; the passwords are those in the files, without the line's end."""
    broker = Broker()
    ensure_access(broker, folder, mechanism, PREFIX)
    assert broker.grants == {grant for role in ACCESS for grant in grants(role, PREFIX)}
    expected = ScramMechanism[mechanism.upper().replace("-", "_")]
    assert broker.passwords == {f"p.cheeper.{role}": (f"of {role}".encode(), expected) for role in ACCESS}
    changes = broker.changes
    ensure_access(broker, folder, mechanism, PREFIX)
    assert broker.changes == changes


def test_what_is_not_in_the_table_is_revoked_from_the_roles_alone(folder):
    """A role of an older release may have had more; the grants of other users stay."""
    broker = Broker()
    more = [
        AclBinding(
            *(ResourceType.TOPIC, EVENTS.named(PREFIX), ResourcePatternType.LITERAL, f"User:{user}"),
            *("*", AclOperation.ALL, AclPermissionType.ALLOW),
        )
        for user in (user_of("http", PREFIX), "somebody")
    ]
    broker.grants |= set(more)
    ensure_access(broker, folder, "scram-sha-512", PREFIX)
    assert broker.grants & set(more) == {more[1]}


@pytest.mark.parametrize("code", [KafkaError.SECURITY_DISABLED, KafkaError.CLUSTER_AUTHORIZATION_FAILED])
def test_a_refusal_is_final_and_says_what_the_broker_needs(folder, code):
    """Nobody gets a user then: trying again would not help."""
    broker = Broker(code)
    with pytest.raises(AccessError, match=r"authorizer and SCRAM.*super\.users"):
        ensure_access(broker, folder, "scram-sha-512", PREFIX)
    assert broker.passwords == {}


def test_an_unavailable_broker_is_no_refusal(folder):
    """The caller tries again."""
    with pytest.raises(KafkaException):
        ensure_access(Broker(KafkaError.REQUEST_TIMED_OUT), folder, "scram-sha-512", PREFIX)


def test_a_password_that_is_missing_is_named(folder):
    """An empty file is none, and neither is a folder that does not exist."""
    assert passwords_folder(str(folder)) == folder
    (folder / "relay").write_text("\n")
    (folder / "http").unlink()
    with pytest.raises(ValueError, match=r"missing: http, relay$"):
        passwords_folder(str(folder))
    with pytest.raises(ValueError, match=r"missing: http, worker, relay|missing: http, worker, process-manager"):
        passwords_folder(str(folder / "nothing"))


def test_each_topic_is_created_by_some_role():
    """After a wipe of Kafka nobody has to run `migrate`."""
    assert {topic.name for topic in TOPICS} == {topic.name for each in ACCESS.values() for topic in each.creates}
