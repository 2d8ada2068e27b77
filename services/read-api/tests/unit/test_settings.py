import pytest

from cheeper_runtime.settings import SettingError, read
from read_api.settings import Settings, from_env

NEEDED = {"REDIS_URL": "redis://u:secret@r:6379/0", "MONGO_URL": "mongodb://m:27017/"}


def test_defaults():
    """Only where the stores are has to be said."""
    settings = read(Settings, NEEDED)
    assert (settings.host, settings.port, settings.redis_prefix, settings.mongo_database) == (
        "127.0.0.1",
        8002,
        "",
        "cheeper",
    )


def test_any_free_port_and_words_in_capitals_will_do():
    """As in every service, so that one environment fits all of them."""
    settings = read(Settings, {**NEEDED, "PORT": "0", "LOG_LEVEL": "INFO", "LOG_FORMAT": "JSON"})
    assert (settings.port, settings.log_level, settings.log_format) == (0, "info", "json")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"REDIS_URL": ""}, "REDIS_URL"),
        ({"MONGO_URL": "http://user:secret@m"}, "MONGO_URL"),
        ({"REDIS_URL": "redis://[secret"}, "REDIS_URL"),
        ({"PORT": "65536"}, "PORT"),
        ({"PORT": "http"}, "PORT"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
    ],
)
def test_a_wrong_setting_is_named_without_a_secret(change, named):
    """The error names the variable, and shows no URL."""
    with pytest.raises(SettingError) as caught:
        read(Settings, {**NEEDED, **change})
    assert named in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_open_api_is_for_this_machine_alone():
    """With another address of the gateway, the process does not start, and the sentence says what to do."""
    assert from_env(NEEDED).auth == "open"
    with pytest.raises(SettingError, match="AUTH=tokens with ISSUERS, or GATEWAY_ADDRESS"):
        from_env({**NEEDED, "GATEWAY_ADDRESS": "192.0.2.1"})
