from __future__ import annotations

import pytest

from cheeper_audit.settings import from_env
from cheeper_runtime.settings import SettingError

URLS = {"DATABASE_URL": "postgresql://p", "REDIS_URL": "redis://r", "MONGO_URL": "mongodb://m"}


def test_prefix_and_database_have_the_services_defaults():
    """No prefix, and the database `cheeper`."""
    settings = from_env(URLS)
    assert (settings.redis_prefix, settings.mongo_database) == ("", "cheeper")


@pytest.mark.parametrize("name", sorted(URLS))
@pytest.mark.parametrize("value", ["", "http://user:secret@host", "http://[secret"])
def test_what_is_missing_or_wrong_is_named(name, value):
    """By the variable's name, without what it holds."""
    with pytest.raises(SettingError, match=name) as raised:
        from_env({**URLS, name: value})
    assert "secret" not in str(raised.value)
