from __future__ import annotations

import pytest

from cheeper_local.text import counted, size


@pytest.mark.parametrize(("number", "text"), [(0, "0 rows"), (1, "1 row"), (1234, "1,234 rows")])
def test_a_noun_has_its_plural(number, text):
    """Only one is singular."""
    assert counted(number, "row") == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (12_345, "12 kB"), (5e7, "50 MB"), (3.4e9, "3.4 GB")]
)
def test_bytes_are_shown_in_the_unit_that_fits(number, text):
    """A size has at most three digits before its unit."""
    assert size(number) == text
