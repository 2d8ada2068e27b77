"""The order of the tests for the workers of `-n`, loaded by the root conftest.py: the longest files come first.

A worker that begins a long file last ends alone with it. xdist by itself begins with the files that have most tests,
and most of the longest have a single one: `--no-loadscope-reorder` keeps our order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

SECONDS_OF_A_TEST: Final = 0.3
"""The time of a test that is not marked `takes`: about the mean of them, on 2 cores with others beside it."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order what `-m` and others selected, in each worker alike."""
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items)


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Sort by the seconds that the tests of a file take together; the tests of one file stay as they are."""
    seconds: defaultdict[Path, float] = defaultdict(float)
    for item in items:
        mark = item.get_closest_marker("takes")
        seconds[item.path] += SECONDS_OF_A_TEST if mark is None else mark.kwargs["seconds"]
    return sorted(items, key=lambda item: (-seconds[item.path], item.path))
