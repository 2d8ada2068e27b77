from typing import Annotated

import msgspec
import pytest

from cheeper_runtime import settings
from cheeper_runtime.logs import LogLevel
from cheeper_runtime.servers.urls import RedisUrl
from cheeper_runtime.settings import Parser, Port, SettingError


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


class Server(msgspec.Struct, frozen=True, rename=lambda name: f"SERVER_{name.upper()}"):
    address: str
    weight: Annotated[int, msgspec.Meta(ge=0, le=9)] = 1

    def __post_init__(self):
        if self.weight > len(self.address):
            raise ValueError("SERVER_WEIGHT does not fit SERVER_ADDRESS")


class Client(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    server: Server
    port: Port = 8013


def test_a_struct_has_variables_of_its_own():
    """Several programs that have a part in common read it from the same variables."""
    found = settings.read(Client, {"SERVER_ADDRESS": "host", "SERVER_WEIGHT": "3", "SERVER": "ignored"})
    assert found == Client(server=Server("host", 3))
    fixed = Server("fixed")
    assert settings.read(Client, {}, server=fixed).server == fixed


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "SERVER_ADDRESS is not set"),
        ({"SERVER_ADDRESS": "host", "SERVER_WEIGHT": "10"}, "SERVER_WEIGHT must be a number from 0 to 9"),
        ({"SERVER_ADDRESS": "host", "SERVER_WEIGHT": "9"}, "SERVER_WEIGHT does not fit SERVER_ADDRESS"),
    ],
)
def test_a_wrong_variable_of_a_struct_is_named(given, reason):
    """That includes variables that do not fit each other."""
    with pytest.raises(SettingError) as caught:
        settings.read(Client, given)
    assert str(caught.value) == reason


def test_a_value_may_be_in_a_file(tmp_path):
    """A URL with a password is then in no environment, and is checked as one that is."""
    file = tmp_path / "url"
    file.write_text("redis://:secret@h\n")
    given = {"REDIS_URL_FILE": str(file), "NAME": "bob"}
    assert settings.read(Settings, given, role="http") == settings.read(Settings, GIVEN, role="http")
    file.write_text("http://:secret@h")
    with pytest.raises(SettingError, match=r"^REDIS_URL must be a URL that begins with redis://"):
        settings.read(Settings, given, role="http")


def test_a_file_without_a_value_is_named(tmp_path):
    """The process does not start without it, or with two values."""
    (tmp_path / "empty").write_text("\n")
    for name in ("empty", "nothing"):
        with pytest.raises(SettingError, match=r"^REDIS_URL_FILE must be a file with the value"):
            settings.read(Settings, {"REDIS_URL_FILE": str(tmp_path / name), "NAME": "bob"}, role="http")
    with pytest.raises(SettingError, match=r"^REDIS_URL and REDIS_URL_FILE are both set$"):
        settings.read(Settings, {**GIVEN, "REDIS_URL_FILE": str(tmp_path / "empty")}, role="http")


def test_a_setting_that_is_a_file_stays_one(tmp_path):
    """A field whose own name ends so has the path."""

    class WithFile(msgspec.Struct, rename=str.upper):
        password_file: str

    assert settings.read(WithFile, {"PASSWORD_FILE": str(tmp_path)}).password_file == str(tmp_path)
