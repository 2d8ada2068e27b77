import pytest

from cheeper_bench.measuring.scenarios import CHEEPER, COST, SQL_ONLY, Scenario, break_even, ends, searched
from cheeper_bench.measuring.spread import spread_of


def sides(read, post, sql_read, sql_post):
    """Return what reads alone and posts alone cost at 100 follows, in ms of CPU."""
    costs = {(CHEEPER, 100): read, (CHEEPER, 0): post, (SQL_ONLY, 100): sql_read, (SQL_ONLY, 0): sql_post}
    return {Scenario(who, 100, reads).name: {COST: spread_of([cost])} for (who, reads), cost in costs.items()}


@pytest.mark.parametrize(
    ("costs", "share"),
    [
        ((1, 10, 4, 1), 75),  # 0.75 * 1 + 0.25 * 10 == 0.75 * 4 + 0.25 * 1
        ((1, 4, 4, 1), 50),
        ((1, 10, 1, 1), float("inf")),  # a read costs as much: no share makes up for the posts
        ((2, 10, 1, 1), float("inf")),
        ((1, 1, 4, 1), 0),  # a post costs no more: any share will do
    ],
)
def test_break_even_is_the_share_of_reads_at_which_both_cost_the_same(costs, share):
    """Below it the posts cost more than the reads save."""
    assert break_even(sides(*costs), 100) == pytest.approx(share)


def test_without_a_figure_there_is_no_break_even():
    """A figure that was not measured is not made up."""
    found = sides(1, 10, 4, 1)
    del found[Scenario(SQL_ONLY, 100, 0).name]
    assert break_even(found, 100) is None


def test_each_scenario_is_measured_once():
    """The usual one is part of two lines of the table, and no name stands for two scenarios."""
    everything = [each for who in (CHEEPER, SQL_ONLY) for each in (*searched(who), *ends(who))]
    assert len({each.name for each in everything}) == len(everything)
