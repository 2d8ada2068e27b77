from __future__ import annotations

from pathlib import Path

import pytest

from cheeper_local.errors import LocalError
from cheeper_local.settings import CLONE, from_env


def test_defaults_need_no_environment():
    """An empty environment is a whole stack on port 8000 with its data in the clone."""
    settings = from_env({})
    assert (settings.port, settings.data, settings.broker, settings.step) == (8000, CLONE / ".cheeper", None, False)
    assert set(settings.replicas.values()) == {1}


def test_every_setting_can_be_given():
    """PORT, DATA, BROKER, STEP and the replicas of a role can be set."""
    given = {"PORT": "8100", "DATA": "/tmp/x", "BROKER": "tansu", "STEP": "1", "READ_API_REPLICAS": "3"}  # noqa: S108 - a name, nothing is written
    settings = from_env(given)
    assert (settings.gateway, settings.data, settings.step) == ("http://127.0.0.1:8100", Path("/tmp/x"), True)  # noqa: S108 - as above
    assert settings.replicas["read-api"] == 3
    assert settings.replicas["write-api"] == 1


@pytest.mark.parametrize("wrong", ["0", "65536", "eighty", "-1", "٣"])
def test_a_wrong_number_is_refused_by_name(wrong):
    """The error names the variable and its valid values."""
    with pytest.raises(LocalError, match=rf"^PORT is '{wrong}', but must be a number from 1 to 65535\.$"):
        from_env({"PORT": wrong})


def test_the_mode_is_open_by_default():
    """Tokens are a choice; another word is refused by name."""
    assert [from_env(given).auth for given in ({}, {"AUTH": "tokens"})] == ["open", "tokens"]
    with pytest.raises(LocalError, match="AUTH is 'shut', but must be one of open, tokens"):
        from_env({"AUTH": "shut"})


def test_prometheus_is_a_choice_with_a_speed():
    """Without OBSERVE there is none, and a wrong speed is refused by name."""
    assert from_env({}).observe == 0
    assert [from_env({"OBSERVE": each}).observe for each in ("0", "1", "20")] == [0, 1, 20]
    with pytest.raises(LocalError, match="OBSERVE is 'yes', but must be a number from 1 to 60"):
        from_env({"OBSERVE": "yes"})


def test_limits_have_a_server_while_they_are_on():
    """The stack starts a server for rate limits if these are on, by LIMITS or by AUTH, and none was given."""
    on = [{"LIMITS": "on"}, {"AUTH": "tokens"}, {"AUTH": "tokens", "LIMITS": "auto"}]
    off = [{}, {"LIMITS": "off", "AUTH": "tokens"}, {"LIMITS": "auto"}, {"LIMITS": "on", "LIMITS_URL": "redis://r"}]
    assert [from_env(given).shares_limits for given in on + off] == [True] * 3 + [False] * 4


def test_the_local_stack_is_for_this_machine():
    """With another address of the gateway nothing starts, and the sentence says what to do."""
    with pytest.raises(LocalError, match="docker compose with AUTH=tokens"):
        from_env({"GATEWAY_ADDRESS": "0.0.0.0"})  # noqa: S104 - it must be refused
