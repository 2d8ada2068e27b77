import pytest

from cheeper_bench.measuring.spread import percentile, ratio_of, spread_of


def test_a_spread_is_the_median_with_the_lowest_and_the_highest():
    """A figure is the median of its runs, and keeps all of them in the order in which they were run."""
    found = spread_of([3, 1, 10, 2, 5])
    assert (found.median, found.lowest, found.highest) == (3, 1, 10)
    assert found.values == (3, 1, 10, 2, 5)


def test_the_median_of_an_even_number_lies_between_the_middle_two():
    """Four runs have no middle one."""
    assert spread_of([1, 2, 4, 8]).median == 3


def test_a_ratio_is_taken_run_by_run():
    """Runs of one round met the same machine: a slow minute that hits both sides leaves the ratio alone."""
    ratio = ratio_of(spread_of([100, 10, 200]), spread_of([50, 5, 50]))
    assert ratio is not None
    assert ratio.values == (2, 2, 4)
    assert ratio.median == 2


def test_a_ratio_over_nothing_is_none():
    """A side that did nothing gives no ratio."""
    assert ratio_of(spread_of([1, 2]), spread_of([1, 0])) is None


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        (range(1, 101), 50, 50),
        (range(1, 101), 99, 99),
        (range(1, 101), 100, 100),
        ([7], 99, 7),
        ([], 50, 0),
        ([2, 1], 50, 1),
    ],
)
def test_a_percentile_is_a_value_that_was_there(values, percent, expected):
    """A percentile is the smallest value that so many percent do not exceed."""
    assert percentile(list(values), percent) == expected
