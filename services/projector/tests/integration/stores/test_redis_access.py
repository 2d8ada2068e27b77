"""The credentials of each role on a Redis with users."""

import asyncio
from contextlib import suppress
from functools import partial

import pytest
import redis

from cheeper_contracts import views
from cheeper_contracts.views.generations import prefix_of
from cheeper_contracts.views.streams import all_streams
from cheeper_local.testing.guarded import GuardedRedis
from cheeper_runtime.rate_limits.sharing import Use
from cheeper_runtime.rate_limits.valkey import ValkeyStore
from projector.access import ADMIN, EXPORTER, LIMITS, PASSWORDS, WRITES
from projector.stores.redis.access import acl_file, limits_acl_file

REFUSALS = ("ACL failure in script", "not allowed from read-only scripts")
KEY = views.CHEEP_RECORD.key("", "1")
NEXT = views.CHEEP_RECORD.key(prefix_of("", 2), "1")
OTHERS = views.CHEEP_RECORD.key("other.", "1")
WRITE = "return redis.call('SET', KEYS[1], 'forged')"
NOBODY = "nobody"
MAY = {
    "projector": {
        *("read", "write", "write the next generation", "write by a script", "delete", "rename"),
        *("publish", "list the names of keys", "watch", "see figures"),
    },
    "read-api": {"read", "subscribe"},
    "audit": {"read", "list the names of keys"},
    EXPORTER: {"see figures"},
    NOBODY: set(),
}
"""Everything that each credential is good for, of what `attempts` tries."""


def attempts(client):
    """Return what a thief would try, by its name, in an order in which one leaves what the next one needs."""
    run = client.execute_command
    digest = run("SCRIPT", "LOAD", WRITE) if can(partial(run, "SCRIPT", "LOAD", WRITE)) else "0" * 40
    return {
        "read": partial(run, "GET", KEY),
        "read another installation": partial(run, "GET", OTHERS),
        "write": partial(run, "SET", KEY, "forged"),
        "write the next generation": partial(run, "SET", NEXT, "forged"),
        "write another installation": partial(run, "SET", OTHERS, "forged"),
        "write another key": partial(run, "SET", "another", "forged"),
        "write by a script": partial(run, "EVALSHA", digest, 1, KEY),
        "write another key by a script": partial(run, "EVALSHA", digest, 1, "another"),
        "write by a script that must not": partial(run, "EVALSHA_RO", digest, 1, KEY),
        "rename": partial(run, "RENAME", KEY, f"{KEY}0"),
        "delete": partial(run, "DEL", f"{KEY}0"),
        "publish": partial(run, "PUBLISH", all_streams(""), "forged"),
        "publish to another channel": partial(run, "PUBLISH", "another", "forged"),
        "subscribe": partial(subscribe, client, all_streams("")),
        "subscribe to another channel": partial(subscribe, client, "another"),
        "watch": partial(run, "WATCH", KEY),
        "list the names of keys": partial(run, "SCAN", 0),
        "see figures": partial(run, "INFO"),
        "list all keys": partial(run, "KEYS", "*"),
        "empty the server": partial(run, "FLUSHALL"),
        "swap databases": partial(run, "SWAPDB", 0, 1),
        "remove scripts": partial(run, "SCRIPT", "FLUSH"),
        "replace functions": partial(run, "FUNCTION", "FLUSH"),
        "configure": partial(run, "CONFIG", "SET", "maxmemory", "1"),
        "add a user": partial(run, "ACL", "SETUSER", "thief"),
        "list users": partial(run, "ACL", "LIST"),
        "close connections": partial(run, "CLIENT", "KILL", "TYPE", "pubsub"),
        "replicate": partial(run, "REPLICAOF", "127.0.0.1", "1"),
        "save": partial(run, "BGREWRITEAOF"),
    }


def subscribe(client, channel):
    with client.pubsub() as pubsub:
        pubsub.subscribe(channel)
        assert pubsub.get_message(timeout=10)["type"] == "subscribe"


def can(attempt):
    """Return whether the server does it. Any error but a refusal is passed on."""
    try:
        attempt()
    except redis.ResponseError as error:
        if isinstance(error, redis.exceptions.NoScriptError):
            return False
        refused = isinstance(error, redis.exceptions.NoPermissionError) or any(
            words in str(error) for words in REFUSALS
        )
        if not refused:
            raise
        return False
    return True


@pytest.fixture(scope="module")
def passwords(tmp_path_factory):
    folder = tmp_path_factory.mktemp("passwords")
    for name in PASSWORDS:
        (folder / name).write_text(f"the-password-of-{name}\n")
    return folder


def serving(folder, users):
    server = GuardedRedis(folder, users)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(passwords, tmp_path_factory):
    yield from serving(tmp_path_factory.mktemp("redis"), acl_file("", passwords))


@pytest.fixture(scope="module")
def limits_server(passwords, tmp_path_factory):
    yield from serving(tmp_path_factory.mktemp("limits"), limits_acl_file(passwords))


def connected(server, role):
    if role == NOBODY:
        return redis.Redis.from_url(f"redis://{server.address}/0")
    return redis.Redis.from_url(server.url_as(f"cheeper.{role}", f"the-password-of-{role}"))


@pytest.mark.parametrize("role", MAY)
def test_a_stolen_credential_is_refused_everything_but_its_own(server, role):
    """read-api and the audit write nowhere, not even by a script, and nobody writes what another installation has."""
    with connected(server, ADMIN) as admin, connected(server, role) as client:
        admin.set(KEY, "a cheep")
        tried = attempts(client)
        assert MAY[role] <= tried.keys()
        assert {name for name, attempt in tried.items() if can(attempt)} == MAY[role]
        assert (admin.get(OTHERS), admin.get("another")) == (None, None)


def test_each_role_has_its_place_in_the_table():
    """A role that is new to the table is new to these tests, too."""
    assert MAY.keys() - {NOBODY, EXPORTER} == WRITES.keys()


def test_a_password_is_replaced_by_reading_the_file_anew(passwords, server, tmp_path):
    """Without a restart; the old one is refused then."""
    for name in PASSWORDS:
        (tmp_path / name).write_text((passwords / name).read_text())
    (tmp_path / "audit").write_text("a-new-password")
    (server.folder / "users.acl").write_text(acl_file("", tmp_path))
    with connected(server, ADMIN) as admin:
        try:
            assert admin.acl_load()
            with redis.Redis.from_url(server.url_as("cheeper.audit", "a-new-password")) as renewed:
                assert can(partial(renewed.get, KEY))
            with connected(server, "audit") as client, pytest.raises(redis.AuthenticationError):
                client.get(KEY)
        finally:
            server.prepare()
            with suppress(redis.ResponseError):
                admin.acl_load()


def test_the_user_of_limits_is_good_for_limits_alone(limits_server):
    """It counts what callers have used; views have another server, with other users."""

    async def use():
        store = ValkeyStore(limits_server.url_as(f"cheeper.{LIMITS}", f"the-password-of-{LIMITS}"))
        try:
            return await store.apply([Use(key="ann", seconds=1, burst_seconds=10, conditional=True)])
        finally:
            await store.close()

    replicas, [shared] = asyncio.run(use())
    assert (replicas, shared.taken) == (1, True)
    with connected(limits_server, LIMITS) as client:
        assert not can(partial(client.set, "another", "forged"))
        assert not can(client.flushall)
        assert not can(client.acl_list)
