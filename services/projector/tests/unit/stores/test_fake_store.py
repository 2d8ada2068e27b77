"""The fake store keeps the rules of a store, so tests that use it prove what they would prove with a real one."""

import pytest
from projector_testing.store import FakeStore
from projector_testing.store_suite import *  # noqa: F403 - its tests are this module's

from cheeper_contracts import views
from projector.projections.writes import Increment


@pytest.fixture
def store():
    """Return an empty store."""
    return FakeStore()


@pytest.fixture
def other(store):
    """Return the store as another process sees it."""
    return store


@pytest.fixture
def followers(store):
    """Read an author's counts of followers, following and cheeps."""

    def read(author):
        found = store.documents.get((views.AUTHORS.name, author), {})
        return tuple(found.get(name, 0) for name in ("followers", "following", "cheeps"))

    return read


@pytest.fixture
def bad_write():
    """Make a write that cannot be done."""
    return lambda author: Increment(views.AUTHORS.name, author, {"followers.deep": 1})
