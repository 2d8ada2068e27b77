from __future__ import annotations

from cheeper_local.system.secret_file import kept_secret


def test_a_secret_is_made_once_for_its_user_alone(tmp_path):
    """The first call makes a password that only its user can read, and later calls return the same."""
    file = tmp_path / "folder" / "password"
    secret = kept_secret(file)
    assert len(secret) >= 32
    assert kept_secret(file) == secret
    assert file.stat().st_mode & 0o777 == 0o600


def test_secrets_differ(tmp_path):
    """No two files have the same password."""
    assert kept_secret(tmp_path / "one") != kept_secret(tmp_path / "two")
