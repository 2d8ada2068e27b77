import pytest

from projector.access import PASSWORDS
from projector.cli.main import main

GIVEN = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "MONGO_URL": "mongodb://127.0.0.1:1",
}


def run(monkeypatch, server, **more):
    """Run `projector access` with these variables, and return its exit code."""
    for name, value in {**GIVEN, **more}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(["access", server])
    return ended.value.code


@pytest.mark.parametrize(("server", "user"), [("redis", "cheeper.read-api"), ("limits", "cheeper.limits")])
def test_the_users_of_a_redis_are_printed(monkeypatch, capsys, tmp_path, server, user):
    """The text is a file for the server, which need not run yet."""
    for name in PASSWORDS:
        (tmp_path / name).write_text("secret")
    assert run(monkeypatch, server, STORE_PASSWORDS_FOLDER=str(tmp_path)) == 0
    assert f"user {user} on #" in capsys.readouterr().out


def test_without_passwords_there_are_no_users(monkeypatch, capsys):
    """The sentence names the setting."""
    assert run(monkeypatch, "redis") == 2
    assert capsys.readouterr().err == "projector: STORE_PASSWORDS_FOLDER is not set\n"
