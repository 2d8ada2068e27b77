import pytest

from cheeper_runtime.settings import SettingError
from projector.settings import from_env
from projector.stores.redis.scripts import WORK_MAX

GOOD = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    "REDIS_URL": "redis://:secret@127.0.0.1:6379/0",
    "MONGO_URL": "mongodb://127.0.0.1:27017",
}


def test_unset_variables_have_the_documented_defaults():
    """A variable that is not set has the documented default."""
    settings = from_env(GOOD)
    assert (settings.fanout_inline_max, settings.fanout_slice) == (1_000, 1_000)
    assert (settings.mongo_database, settings.redis_prefix, settings.topic_prefix) == ("cheeper", "", "")
    assert (settings.host, settings.port) == ("127.0.0.1", 8013)


def test_any_free_port_and_words_in_capitals_will_do():
    """As in every service, so that one environment fits all of them."""
    settings = from_env({**GOOD, "PORT": "0", "LOG_LEVEL": "INFO", "LOG_FORMAT": "JSON"})
    assert (settings.port, settings.log_level, settings.log_format) == (0, "info", "json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", ""),
        ("KAFKA_SECURITY_PROTOCOL", "secret"),
        ("KAFKA_SASL_PASSWORD_FILE", "/secret"),
        ("REDIS_URL", "http://secret"),
        ("MONGO_URL", "secret"),
        ("MONGO_URL", "mongodb://[secret"),
        ("FANOUT_INLINE_MAX", "-1"),
        ("FANOUT_INLINE_MAX", f"{WORK_MAX + 1}"),
        ("FANOUT_SLICE", "0"),
        ("FANOUT_SLICE", f"{WORK_MAX + 1}"),
        ("PORT", "70000"),
        ("LOG_FORMAT", "secret"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_refused_by_the_variables_name_alone(name, value):
    """The error names the variable and never shows what it holds."""
    with pytest.raises(SettingError) as refused:
        from_env({**GOOD, name: value})
    assert name in str(refused.value)
    assert "secret" not in str(refused.value)
