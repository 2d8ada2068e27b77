from typing import Annotated

import msgspec
import pytest

from cheeper_runtime import settings
from cheeper_runtime.logs import LogLevel
from cheeper_runtime.settings import Parser, Port, RedisUrl, SettingError


def even(text):
    if int(text) % 2:
        raise ValueError("must be even")
    return int(text)


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    redis_url: RedisUrl
    name: str
    role: str
    port: Port = 8013
    days: Annotated[int, msgspec.Meta(ge=1, le=400)] | None = None
    log_level: LogLevel = "info"
    pairs: Annotated[int, Parser(even)] = 0


GIVEN = {"REDIS_URL": "redis://:secret@h", "NAME": "bob"}


def test_unset_and_empty_variables_have_their_defaults():
    """A variable that is empty counts as not set."""
    found = settings.read(Settings, {**GIVEN, "PORT": "", "DAYS": ""}, role="http")
    assert found == Settings(redis_url="redis://:secret@h", name="bob", role="http")


def test_values_are_converted():
    """Numbers are numbers, and a choice may be written in capitals."""
    given = {**GIVEN, "PORT": "0", "DAYS": "30", "LOG_LEVEL": "DEBUG", "PAIRS": "8"}
    found = settings.read(Settings, given, role="http")
    assert (found.port, found.days, found.log_level, found.pairs) == (0, 30, "debug", 8)


def test_defaults_and_fixed_values_may_depend_on_the_caller():
    """The environment overrides a default, and never a fixed value."""
    given = {**GIVEN, "ROLE": "of the environment"}
    assert settings.read(Settings, given, defaults={"port": 1}, role="http").port == 1
    found = settings.read(Settings, {**given, "PORT": "2"}, defaults={"port": 1}, role="http")
    assert (found.port, found.role) == (2, "http")


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("REDIS_URL", "", "is not set"),
        ("NAME", "", "is not set"),
        (
            "REDIS_URL",
            "http://u:secret@h",
            "must be a URL that begins with redis:// or rediss:// or unix://",
        ),
        ("REDIS_URL", "redis://[secret", "must be a URL that begins with redis:// or rediss:// or unix://"),
        ("PORT", "secret", "must be a number from 0 to 65535"),
        ("PORT", "65536", "must be a number from 0 to 65535"),
        ("PORT", "-1", "must be a number from 0 to 65535"),
        ("DAYS", "0", "must be a number from 1 to 400, or empty"),
        ("LOG_LEVEL", "secret", "must be one of debug, info, warning, error"),
        ("PAIRS", "3", "must be even"),
    ],
)
def test_a_wrong_variable_is_named(name, value, wanted):
    """The error is one sentence with the variable's name and without its value."""
    with pytest.raises(SettingError) as caught:
        settings.read(Settings, {**GIVEN, name: value}, role="http")
    assert str(caught.value) == f"{name} {wanted}"
