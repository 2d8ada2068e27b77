import pytest

from cheeper_runtime.settings import SettingError
from inspector.cli import WRONG_SETTING, main
from inspector.settings import OperationsSettings, Settings, from_env, of_migrate

ENVIRONMENT = {
    "INSPECTOR": "on",
    "DATABASE_URL": "postgresql://c:c@localhost/c",
    "REDIS_URL": "redis://localhost",
    "MONGO_URL": "mongodb://localhost/?replicaSet=rs0",
    "KAFKA_BOOTSTRAP_SERVERS": "localhost:9092",
    "TRAIL_URL": "postgresql://o:o@localhost/c",
}


def test_the_settings():
    """The servers have no default, and everything else has one."""
    found = from_env(ENVIRONMENT, Settings)
    assert (found.port, found.auth, found.traces) == (8016, "open", 2)
    assert from_env(ENVIRONMENT, OperationsSettings).port == 8017
    with pytest.raises(SettingError, match="TRAIL_URL"):
        from_env({**ENVIRONMENT, "TRAIL_URL": ""}, OperationsSettings)
    for name in set(ENVIRONMENT) - {"INSPECTOR", "TRAIL_URL"}:
        with pytest.raises(SettingError, match=name):
            from_env({**ENVIRONMENT, name: ""}, Settings)


@pytest.mark.parametrize("kind", [Settings, OperationsSettings])
@pytest.mark.parametrize("value", ["", "off"])
def test_it_runs_on_request_alone(kind, value, monkeypatch, capsys):
    """Without INSPECTOR=on the process ends, and says why."""
    with pytest.raises(SettingError, match="INSPECTOR is not on"):
        from_env({**ENVIRONMENT, "INSPECTOR": value}, kind)
    for name, each in {**ENVIRONMENT, "INSPECTOR": value}.items():
        monkeypatch.setenv(name, each)
    assert main(["operations" if kind is OperationsSettings else "http"]) == WRONG_SETTING
    assert "INSPECTOR" in capsys.readouterr().err


@pytest.mark.parametrize("given", [{"AUTH": "tokens"}, {"GATEWAY_ADDRESS": "0.0.0.0"}])  # noqa: S104 - it is refused
@pytest.mark.parametrize("kind", [Settings, OperationsSettings])
def test_what_would_show_everything_to_everybody_is_refused(kind, given):
    """Tokens need issuers, and an open API needs a gateway on loopback."""
    with pytest.raises(SettingError):
        from_env({**ENVIRONMENT, **given}, kind)


def test_the_schema_needs_an_owner_alone(tmp_path):
    """The role of the trail is made if its password is given, and a file without one is refused."""
    url = ENVIRONMENT["DATABASE_URL"]
    assert of_migrate({"DATABASE_URL": url}).trail_password_file is None
    with pytest.raises(SettingError, match="TRAIL_PASSWORD_FILE"):
        of_migrate({"DATABASE_URL": url, "TRAIL_PASSWORD_FILE": str(tmp_path / "none")})
