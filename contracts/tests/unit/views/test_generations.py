"""Generations: where each one is."""

import pytest

from cheeper_contracts import views
from cheeper_contracts.views import generations


def test_the_first_has_the_plain_names():
    """An installation from before there were generations is the first one of its stores."""
    assert generations.prefix_of("p:", generations.FIRST) == "p:"
    assert generations.database_of("cheeper", generations.FIRST) == "cheeper"


@pytest.mark.parametrize("number", [2, 3, 12])
def test_each_of_the_others_has_names_of_its_own(number):
    """No other generation shares a key or a database with the first, and all keys carry the same shard tag."""
    key = views.TIMELINE.key(generations.prefix_of("p:", number), "a")
    assert key == f"p:g{number}.{{0}}:timeline:a"
    assert generations.database_of("cheeper", number) == f"cheeper_g{number}"
    assert "{0}" in generations.registry_key("p:")
