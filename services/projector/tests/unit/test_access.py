import pytest

from projector.access import PASSWORDS, WRITES, passwords_folder, user_of


def test_the_projector_alone_writes_views():
    """A stolen credential of another role is good for reading."""
    assert {role for role, writes in WRITES.items() if writes} == {"projector"}


def test_installations_have_users_of_their_own():
    """They may be on the same servers."""
    assert user_of("audit", "cheeper") == "cheeper.audit"
    assert user_of("audit", "p.cheeper") == "p.cheeper.audit"


def test_a_password_that_is_missing_is_named(tmp_path):
    """Nobody gets a user without one."""
    for name in PASSWORDS:
        (tmp_path / name).write_text("secret")
    assert passwords_folder(str(tmp_path)) == tmp_path
    (tmp_path / "audit").write_text("\n")
    (tmp_path / "limits").unlink()
    with pytest.raises(ValueError, match=r"missing: limits, audit$"):
        passwords_folder(str(tmp_path))
