"""The users of the roles in Kafka, and the grants of each. The broker refuses everything else.

All functions block for a few seconds at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from cheeper_contracts.kafka.groups import PROJECTOR, consumer_group
from cheeper_contracts.kafka.topics import COMMANDS, DEAD_LETTERS, EVENTS, TOPICS, Topic
from cheeper_runtime.servers.files import folder_of_passwords, password_of
from write_api.kafka.topics import SECONDS

_ITERATIONS: Final = 8192
_ANY: Final = cast("str", None)  # as the class documents it, and its stub does not have it
_REFUSED: Final = frozenset(
    {
        KafkaError.SECURITY_DISABLED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001 - as librdkafka's own codes are named
        KafkaError.UNACCEPTABLE_CREDENTIAL,
    }
)

log = structlog.get_logger()


class AccessError(Exception):
    """The broker has no users or grants, or not for us. The text says what to do."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """The topics that a role reads as a group, writes, creates if they are missing, and deletes with their records.

    A group without `commits` only finds its place. With `many_groups` the role has a group for each of its parts,
    which it also deletes. Who `watches` topics learns how far they and the groups of all roles are, and no content. It
    `sees` where the groups of these roles are.
    """

    reads: tuple[Topic, ...] = ()
    writes: tuple[Topic, ...] = ()
    creates: tuple[Topic, ...] = ()
    deletes: tuple[Topic, ...] = ()
    watches: tuple[Topic, ...] = ()
    commits: bool = True
    many_groups: bool = False
    sees: tuple[str, ...] = ()


ACCESS: Final[Mapping[str, Access]] = {
    "http": Access(writes=(COMMANDS,)),
    # The commands' topic is the worker's; the process manager, which sends to it, may be the only one that runs.
    "worker": Access(reads=(COMMANDS,), writes=(DEAD_LETTERS,), creates=(COMMANDS, DEAD_LETTERS)),
    "process-manager": Access(reads=(EVENTS,), writes=(COMMANDS, DEAD_LETTERS), creates=(COMMANDS, DEAD_LETTERS)),
    "relay": Access(reads=(EVENTS,), writes=(EVENTS,), creates=(EVENTS,), deletes=(EVENTS,), commits=False),
    "inspector": Access(reads=(COMMANDS, EVENTS, DEAD_LETTERS), commits=False, sees=("process-manager",)),
    "projector": Access(reads=(EVENTS, COMMANDS), writes=(DEAD_LETTERS,), many_groups=True),
    "exporter": Access(watches=TOPICS),
}
"""Nobody but the one who runs `migrate` changes a topic's settings, which could empty it."""


def passwords_folder(text: str) -> Path:
    """Return the path of a folder with a password for each role. Raise ValueError if one is missing."""
    return folder_of_passwords(text, ACCESS)


def user_of(role: str, prefix: str) -> str:
    """Return the name of the role's user, which is also that of its consumer group."""
    return consumer_group(role, prefix)


def grants(role: str, prefix: str) -> frozenset[AclBinding]:
    """Return what the role may do. To read, write or delete something includes to describe it."""
    access, topic, group = ACCESS[role], ResourceType.TOPIC, ResourceType.GROUP
    by_operation = {
        AclOperation.READ: access.reads,
        AclOperation.WRITE: access.writes,
        AclOperation.CREATE: access.creates,
        AclOperation.DELETE: access.deletes,
        AclOperation.DESCRIBE: access.watches,
    }
    found = {
        _grant(role, prefix, topic, each.named(prefix), operation)
        for operation, topics in by_operation.items()
        for each in topics
    }
    if access.many_groups:
        pattern, name = ResourcePatternType.PREFIXED, consumer_group(PROJECTOR, prefix)
        found |= {_grant(role, prefix, group, name, each, pattern) for each in (AclOperation.READ, AclOperation.DELETE)}
    elif access.reads:
        operation = AclOperation.READ if access.commits else AclOperation.DESCRIBE
        found.add(_grant(role, prefix, group, consumer_group(role, prefix), operation))
    elif access.watches:
        every, pattern = consumer_group("", prefix), ResourcePatternType.PREFIXED
        found.add(_grant(role, prefix, group, every, AclOperation.DESCRIBE, pattern))
    found |= {_grant(role, prefix, group, consumer_group(each, prefix), AclOperation.DESCRIBE) for each in access.sees}
    return frozenset(found)


def ensure_access(admin: AdminClient, folder: Path, mechanism: str, prefix: str) -> None:
    """Give each role its user, with the password in its file, and its grants, and take all other grants from it.

    The call is idempotent. Raise AccessError, and KafkaException if the broker is unavailable.
    """
    try:
        for role in ACCESS:
            _ensure_grants(admin, role, prefix)
        _ensure_users(admin, folder, ScramMechanism[mechanism.upper().replace("-", "_")], prefix)
    except KafkaException as error:
        if error.args[0].code() in _REFUSED:
            raise AccessError(
                f"the broker refuses users and grants ({error.args[0].str()}): it needs an authorizer and SCRAM, "
                "and the user of migrate must be one of its super.users, or may alter the cluster"
            ) from error
        raise


def _ensure_users(admin: AdminClient, folder: Path, mechanism: ScramMechanism, prefix: str) -> None:
    how = ScramCredentialInfo(mechanism, _ITERATIONS)
    users: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user_of(role, prefix), how, password_of(folder / role).encode()) for role in ACCESS
    ]
    _wait_for(admin.alter_user_scram_credentials(users, request_timeout=SECONDS))


def _ensure_grants(admin: AdminClient, role: str, prefix: str) -> None:
    wanted = grants(role, prefix)
    every_grant = AclBindingFilter(
        ResourceType.ANY,
        _ANY,
        ResourcePatternType.ANY,
        _principal(role, prefix),
        _ANY,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    present = set(admin.describe_acls(every_grant, request_timeout=SECONDS).result(SECONDS))
    if new := [*(wanted - present)]:
        _wait_for(admin.create_acls(new, request_timeout=SECONDS))
    if old := [*(present - wanted)]:
        _wait_for(admin.delete_acls([_exactly(each) for each in old], request_timeout=SECONDS))
    if new or old:
        log.info("access granted", user=user_of(role, prefix), granted=len(new), revoked=len(old))


def _grant(  # noqa: PLR0913, PLR0917 - the parts of a grant
    role: str,
    prefix: str,
    type_: ResourceType,
    name: str,
    operation: AclOperation,
    pattern: ResourcePatternType = ResourcePatternType.LITERAL,
) -> AclBinding:
    return AclBinding(type_, name, pattern, _principal(role, prefix), "*", operation, AclPermissionType.ALLOW)


def _principal(role: str, prefix: str) -> str:
    return f"User:{user_of(role, prefix)}"


def _exactly(grant: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        grant.restype,
        grant.name,
        grant.resource_pattern_type,
        grant.principal,
        grant.host,
        grant.operation,
        grant.permission_type,
    )


def _wait_for(requests: Mapping[Any, Future[Any]]) -> None:
    for request in requests.values():
        request.result(SECONDS)
