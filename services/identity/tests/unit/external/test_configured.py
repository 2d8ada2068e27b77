import json

import pytest

from cheeper_runtime.settings import SettingError
from identity.external.configured import is_protected
from identity.settings import from_env

PROVIDER = {"name": "example", "title": "Example", "issuer": "https://id.example.org", "client_id": "cheeper"}
NEEDED = {"DATABASE_URL": "postgresql://127.0.0.1/x", "MAIL_URL": "file:///tmp/mail"}


def read(*providers):
    return from_env({**NEEDED, "SIGN_IN_PROVIDERS": json.dumps(providers)}, "http").sign_in_providers


def test_providers_are_read(tmp_path):
    """There are none by default, and as many as are named, each with its secret in a file or without one."""
    assert from_env(NEEDED, "http").sign_in_providers == ()
    file = tmp_path / "secret"
    file.write_text("x\n")
    other = {**PROVIDER, "name": "other", "issuer": "https://other.example.org", "client_secret_file": str(file)}
    first, second = read(PROVIDER, other)
    assert (first.name, first.secret_file, second.secret_file) == ("example", None, file)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "a name"}, "must be a JSON list"),
        ({"name": ""}, "must be a JSON list"),
        ({"title": None}, "must be a JSON list"),
        ({"client_id": ""}, "must be a JSON list"),
        ({"client_secret": "in the environment"}, "must be a JSON list"),
        ({"issuer": "http://id.example.org"}, "https://"),
        ({"issuer": "file:///etc"}, "https://"),
        ({"issuer": "https://["}, "https://"),
        ({"client_secret_file": "/nowhere"}, "client_secret_file"),
    ],
)
def test_a_wrong_provider_is_refused(changes, sentence):
    """A provider that cannot be used is refused at start-up, by a sentence with the setting's name and no value."""
    with pytest.raises(SettingError, match=f"^SIGN_IN_PROVIDERS .*{sentence}") as refused:
        read({**PROVIDER, **changes})
    assert not [value for value in changes.values() if value and value in str(refused.value)]


def test_a_provider_is_named_once():
    """Neither a name nor an issuer has two providers: an account is known by its issuer."""
    for other in ({"name": "other"}, {"issuer": "https://other.example.org"}):
        with pytest.raises(SettingError, match="twice"):
            read(PROVIDER, {**PROVIDER, **other})


@pytest.mark.parametrize(
    ("url", "like", "expected"),
    [
        ("https://id.example.org/token", "https://id.example.org", True),
        ("https://elsewhere.example.org/token", "https://id.example.org", True),
        ("http://127.0.0.1:9000/token", "http://127.0.0.1:9000", True),
        ("http://[::1]:9000/token", "http://localhost:9000", True),
        ("http://localhost/token", "https://id.example.org", False),
        ("http://id.example.org/token", "http://127.0.0.1:9000", False),
        ("http://127.0.0.1.example.org/token", "http://127.0.0.1:9000", False),
        ("javascript:alert(1)", "https://id.example.org", False),
        ("https:///token", "https://id.example.org", False),
        ("", "https://id.example.org", False),
    ],
)
def test_what_is_protected(url, like, expected):
    """Secrets go over TLS, or to this machine if the provider is on it."""
    assert is_protected(url, like=like) is expected
