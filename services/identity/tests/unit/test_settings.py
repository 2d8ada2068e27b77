import pytest

from cheeper_runtime.settings import SettingError
from identity.settings import from_env

NEEDED = {"DATABASE_URL": "postgresql://h/d", "MAIL_URL": "file:///mails"}


def test_the_defaults_are_for_one_machine():
    """With the database and the mails, the HTTP role listens on loopback."""
    settings = from_env(NEEDED, "http")
    assert (settings.host, settings.port, settings.issuer_url) == ("127.0.0.1", 8015, "http://127.0.0.1:8000")
    assert settings.app_password_file is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://h/d"),
        ("DATABASE_URL", ""),
        ("MAIL_URL", "http://h"),
        ("MAIL_URL", ""),
        ("ISSUER_URL", "cheeper"),
        ("PASSWORD_HASHES", "0"),
        ("PORT", "eighty"),
        ("APP_PASSWORD_FILE", "/no/such/file"),
    ],
)
def test_a_wrong_or_missing_setting_is_named(name, value):
    """The error names the variable."""
    with pytest.raises(SettingError, match=name):
        from_env(NEEDED | {name: value}, "http")


@pytest.mark.parametrize("role", ["migrate", "rotate-keys", "roles"])
def test_only_the_http_role_mails(role):
    """Roles that send no mail start without MAIL_URL."""
    assert from_env({"DATABASE_URL": "postgresql://h/d"}, role).mail_url is None
