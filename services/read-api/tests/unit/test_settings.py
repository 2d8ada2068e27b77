import pytest

from cheeper_runtime.rate_limits.settings import rate_limits_of
from cheeper_runtime.settings import SettingError, read
from read_api.settings import Settings, from_env

NEEDED = {"REDIS_URL": "redis://u:secret@r:6379/0", "MONGO_URL": "mongodb://m:27017/"}


def test_defaults():
    """Only the addresses of the stores have no default."""
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


def test_limits_come_with_tokens():
    """Limits are off for the open API on this machine, and on with tokens, unless LIMITS decides."""
    auto, on = read(Settings, NEEDED), read(Settings, {**NEEDED, "LIMITS": "on"})
    off = read(Settings, {**NEEDED, "LIMITS": "off"})
    assert [rate_limits_of(each, "open", "X") is None for each in (auto, on, off)] == [True, False, True]
    assert [rate_limits_of(each, "tokens", "X") is None for each in (auto, on, off)] == [False, False, True]


def test_networks_are_separated_by_spaces_or_commas():
    """A wrong network is named by its setting."""
    assert len(read(Settings, {**NEEDED, "GATEWAY_NETWORKS": "10.0.0.0/8, fd00::/8"}).gateway_networks) == 2
    with pytest.raises(SettingError, match="GATEWAY_NETWORKS must be networks such as"):
        read(Settings, {**NEEDED, "GATEWAY_NETWORKS": "10.0.0.1/8"})


def test_an_open_api_is_for_this_machine_alone():
    """With another address of the gateway, the process does not start, and the sentence says what to do."""
    assert from_env(NEEDED).auth == "open"
    with pytest.raises(SettingError, match="AUTH=tokens with ISSUERS, or GATEWAY_ADDRESS"):
        from_env({**NEEDED, "GATEWAY_ADDRESS": "192.0.2.1"})
