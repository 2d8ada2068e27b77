"""All tests may ask for real servers: cheeper_local.testing.fixtures and replicated.testing say for which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import structlog

pytest_plugins = [
    "cheeper_local.testing.fixtures",
    "cheeper_local.testing.order",
    "cheeper_local.testing.replicated.testing",
]


@pytest.fixture(autouse=True)
def logs_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command line that a test runs in its own process configures the logs for that test alone: a logger that kept
    such a configuration would hide its lines from every test that comes after.
    """
    before, configure = structlog.get_config(), structlog.configure
    monkeypatch.setattr(structlog, "configure", partial(_configure, configure))
    yield
    configure(**before)


def _configure(configure: Callable[..., None], **options: object) -> None:
    configure(**{**options, "cache_logger_on_first_use": False})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `extended` all but the first parameter set of a test marked `variants`, for each value that it names."""
    seen = set()
    for item in items:
        mark, parameters = item.get_closest_marker("variants"), getattr(item, "callspec", None)
        if mark is not None and parameters is not None:
            name, _, _ = item.nodeid.partition("[")
            key = (name, *(str(parameters.params.get(each)) for each in mark.args))
            if key in seen:
                item.add_marker("extended")
            seen.add(key)
