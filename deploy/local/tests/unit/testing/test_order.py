from pathlib import Path

import pytest

from cheeper_local.testing.order import longest_first


class Item:
    def __init__(self, file, *, takes=None):
        self.path, self.takes = Path(file), takes

    def get_closest_marker(self, name):
        return pytest.mark.takes(seconds=self.takes).mark if name == "takes" and self.takes else None


def test_the_files_that_take_longest_come_first():
    """The seconds of its tests count together, and not the number of tests; one without the mark counts a little."""
    few, long = [Item("few.py", takes=1), Item("few.py")], [Item("long.py", takes=60)]
    many = [Item("many.py") for _ in range(20)]
    assert longest_first([*many, *few, *long]) == [*long, *many, *few]


def test_the_tests_of_a_file_stay_together_and_in_order():
    """Files of equal length are not mixed, so that their fixtures are made once."""
    one, other = [Item("one.py", takes=5) for _ in range(2)], [Item("other.py", takes=5) for _ in range(2)]
    assert longest_first([other[0], one[0], other[1], one[1]]) == [*one, *other]
