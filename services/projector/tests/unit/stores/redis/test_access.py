from hashlib import sha256

import pytest

from projector.access import ADMIN, EXPORTER, LIMITS, PASSWORDS, WRITES
from projector.stores.redis.access import acl_file, limits_acl_file


@pytest.fixture
def passwords(tmp_path):
    for name in PASSWORDS:
        (tmp_path / name).write_text(f"the password of {name}\n")
    return tmp_path


def users(text):
    """Return the rules by user."""
    lines = [line.split(" ") for line in text.splitlines()]
    assert all(line[0] == "user" for line in lines)
    return {line[1]: line[2:] for line in lines}


def test_each_role_has_a_user_with_the_digest_of_its_password(passwords):
    """The file has no password, so whoever reads it cannot log in."""
    text = acl_file("p.", passwords)
    assert "the password" not in text
    found = users(text)
    assert found.keys() == {"default", *(f"p.cheeper.{role}" for role in (ADMIN, EXPORTER, *WRITES))}
    for role in (ADMIN, EXPORTER, *WRITES):
        assert f"#{sha256(f'the password of {role}'.encode()).hexdigest()}" in found[f"p.cheeper.{role}"]


def test_rights_are_for_the_keys_of_the_installation_alone(passwords):
    """They are the keys of its first generation and of those that have a number; a prefix is no pattern."""
    found = users(acl_file("p*.", passwords))
    for role, writes in WRITES.items():
        rules = found[f"p*.cheeper.{role}"]
        kind = "~" if writes else "%R~"
        keys = [rule for rule in rules if rule[0] in "~%"]
        assert keys == [rf"{kind}p\*.{{0}}:*", rf"{kind}p\*.g[0-9]*.{{0}}:*"]
        assert {"resetkeys", "resetchannels", "-@all"} <= set(rules)


def test_who_does_not_log_in_learns_whether_the_server_is_up(passwords):
    """A health check needs no password, and nobody else has a use for it."""
    for text in (acl_file("", passwords), limits_acl_file(passwords)):
        assert users(text)["default"] == ["on", "nopass", "resetkeys", "resetchannels", "-@all", "+ping"]


def test_the_server_of_limits_has_no_users_of_views(passwords):
    """A credential of one server is refused by the other."""
    assert users(limits_acl_file(passwords)).keys() == {"default", f"cheeper.{ADMIN}", f"cheeper.{LIMITS}"}
