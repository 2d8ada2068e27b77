import pytest

from cheeper_contracts.catalogue import COMMANDS
from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.update_profile import UpdateProfile
from cheeper_runtime.settings import SettingError
from write_api.domain.quotas import Quotas
from write_api.kafka.access import ACCESS
from write_api.settings import WITH_ADDRESS, from_env

GIVEN = {"DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/d", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:2"}


def test_the_defaults_are_the_books():
    """A change of the own profile is handled at once, every other command is sent; each role has a port of its own."""
    settings = from_env(GIVEN, "http")
    assert set(settings.transports) == set(COMMANDS)
    at_once = {command for command, transport in settings.transports.items() if transport == "sync"}
    assert at_once == {SignUp, UpdateProfile, ChangeEmail}
    assert (settings.host, settings.port, settings.topic_prefix) == ("127.0.0.1", 8001, "")
    assert [from_env(GIVEN, role).port for role in ("worker", "relay", "process-manager")] == [8011, 8012, 8014]


def test_the_outbox_is_kept_unless_a_retention_is_set():
    """It is the event log, and all that a wiped Kafka can be filled from."""
    assert from_env(GIVEN, "relay").outbox_retention_days is None
    assert from_env({**GIVEN, "OUTBOX_RETENTION_DAYS": "400"}, "relay").outbox_retention_days == 400


def test_an_author_has_the_quotas_that_are_set():
    """Each quota of a day is none unless it is set, for all roles that handle commands."""
    given = {"FOLLOWS_MAX": "9", "FOLLOWS_PER_DAY": "5", "POSTS_PER_DAY": "7"}
    for role in ("http", "worker", "process-manager"):
        assert from_env(GIVEN, role).quotas == Quotas()
        assert from_env({**GIVEN, **given}, role).quotas == Quotas(follows=9, follows_per_day=5, posts_per_day=7)


def test_each_command_can_be_routed():
    """A command that is not named keeps its default."""
    settings = from_env({**GIVEN, "COMMAND_TRANSPORTS": " Follow=sync , UpdateProfile=async"}, "http")
    changed = {UpdateProfile: "async", Follow: "sync"}
    assert settings.transports == {**from_env(GIVEN, "http").transports, **changed}


@pytest.mark.parametrize("role", ["http", "worker", "process-manager"])
@pytest.mark.parametrize("command", ["SignUp", "ChangeEmail"])
def test_addresses_go_over_kafka_only_if_that_is_accepted(role, command):
    """A role does not start with an asynchronous command that has an address, and the error names what to change."""
    routed = {**GIVEN, "COMMAND_TRANSPORTS": f"Follow=sync,{command}=async"}
    with pytest.raises(
        SettingError, match=rf"makes {command} asynchronous.* cheeper\.commands .*EMAIL_ADDRESSES_IN_KAFKA"
    ):
        from_env(routed, role)
    accepted = from_env({**routed, "EMAIL_ADDRESSES_IN_KAFKA": "accepted"}, role)
    assert {type_.__name__ for type_, way in accepted.transports.items() if way == "async"} >= {command}


def test_the_commands_with_an_address_are_known():
    """They follow from the fields, so a new one is not forgotten."""
    assert set(WITH_ADDRESS) == {SignUp, ChangeEmail}


def test_any_free_port_and_words_in_capitals_will_do():
    """As in every service, so that one environment fits all of them."""
    settings = from_env({**GIVEN, "PORT": "0", "HOST": "", "LOG_LEVEL": "INFO", "LOG_FORMAT": "JSON"}, "http")
    assert (settings.host, settings.port) == ("127.0.0.1", 0)
    assert (settings.log_level, settings.log_format) == ("info", "json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "mysql://u:secret@h/d"),
        ("DATABASE_URL", "postgresql://u:secret@h:port/d"),
        ("DATABASE_URL", "postgresql://u:secret@h/d?sslmode=full"),
        ("KAFKA_BOOTSTRAP_SERVERS", ""),
        ("KAFKA_SECURITY_PROTOCOL", "secret"),
        ("COMMAND_TRANSPORTS", "Follow=pigeon"),
        ("COMMAND_TRANSPORTS", "Unfollow"),
        ("COMMAND_TRANSPORTS", "Fly=sync"),
        ("PORT", "http"),
        ("PORT", "65536"),
        ("OUTBOX_RETENTION_DAYS", "0"),
        ("OUTBOX_RETENTION_DAYS", "for ever"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_variable_is_named(name, value):
    """The error names the variable, and never shows what may be secret."""
    with pytest.raises(SettingError, match=name) as caught:
        from_env({**GIVEN, name: value}, "http")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("role", ["http", "worker", "migrate"])
def test_an_open_api_is_for_this_machine_alone(role):
    """With another address of the gateway, no role starts, and the sentence says what to do."""
    assert from_env(GIVEN, role).auth == "open"
    with pytest.raises(SettingError, match="AUTH=tokens with ISSUERS, or GATEWAY_ADDRESS"):
        from_env({**GIVEN, "GATEWAY_ADDRESS": "0.0.0.0"}, role)  # noqa: S104 - it must be refused


def test_users_of_kafka_are_made_only_where_somebody_can_log_in(tmp_path):
    """Passwords that no broker keeps would protect nothing, so the setting is refused then."""
    for role in (*ACCESS, "migrate"):
        (tmp_path / role).write_text("secret")
    folder = {**GIVEN, "KAFKA_PASSWORDS_FOLDER": str(tmp_path)}
    user = {"KAFKA_SASL_USERNAME": "admin", "KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "migrate")}
    scram = {**folder, **user, "KAFKA_SECURITY_PROTOCOL": "sasl_ssl"}
    assert from_env(scram, "migrate").kafka_passwords_folder == tmp_path
    for environ in (folder, {**folder, "KAFKA_SECURITY_PROTOCOL": "ssl"}, {**scram, "KAFKA_SASL_MECHANISM": "plain"}):
        with pytest.raises(SettingError, match="KAFKA_PASSWORDS_FOLDER has no effect"):
            from_env(environ, "migrate")
    (tmp_path / "worker").unlink()
    with pytest.raises(SettingError, match=r"KAFKA_PASSWORDS_FOLDER must be a folder .* missing: worker"):
        from_env(scram, "migrate")


def test_the_owner_is_made_with_a_password_for_migrate(tmp_path):
    """Without one, `access` does not start, since nobody could act as the owner."""
    with pytest.raises(SettingError, match="MIGRATE_PASSWORD_FILE is not set"):
        from_env(GIVEN, "access")
    (tmp_path / "migrate").write_text("secret")
    given = {
        **GIVEN,
        "MIGRATE_PASSWORD_FILE": str(tmp_path / "migrate"),
        "RELAY_PASSWORD_FILE": str(tmp_path / "migrate"),
    }
    assert from_env(given, "access").migrate_password_file == tmp_path / "migrate"
    assert set(from_env(given, "migrate").password_files) == {"relay"}
