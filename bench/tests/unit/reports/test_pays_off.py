import pytest

from cheeper_bench.errors import BenchError
from cheeper_bench.measuring.machine import Machine
from cheeper_bench.measuring.results import BenchResult, Results
from cheeper_bench.measuring.scenarios import CHEEPER, COST, RATE, SQL_ONLY, ends, searched
from cheeper_bench.measuring.spread import spread_of
from cheeper_bench.reports import pays_off

MACHINE = Machine(processor="P", cores=2, memory_gib=24, system="Linux 6", python="3.11.7", servers=())


def result():
    """A result in which a read costs 1 and a post 10 of Cheeper, and 4 and 1 of the SQL-only variant."""
    costs = {CHEEPER: (1.0, 10.0), SQL_ONLY: (4.0, 1.0)}
    sides = {}
    for who, (read, post) in costs.items():
        for each in (*searched(who), *ends(who)):
            cost = (each.reads * read + (100 - each.reads) * post) / 100
            process = "read-api" if who == CHEEPER else "application"
            figures = {COST: cost, RATE: 1000 / cost, f"{process} ms": cost, "p99 ms": 9.0}
            more = {"data/buffers": 12.0} if each.buffers == "1MB" else {}
            sides[each.name] = {name: spread_of([value]) for name, value in {**figures, **more}.items()}
    return BenchResult(name=pays_off.NAME, title="T", about="…", runs=1, sides=sides)


def run(length="long", load=1.5):
    fields = {"began": "2026-01-02T00:00:00+00:00", "length": length, "commit": "abc", "changed": False, "load": load}
    return Results(**fields, machine=MACHINE, benches=(result(),))


def test_the_table_has_a_line_for_each_scenario():
    """Both rates and costs stand side by side, with the ratio and the share of reads from which Cheeper costs less."""
    figures = pays_off.figures(run(), result())
    assert "| 100 | 90% | 526 | 270 | 1.9 | 3.7 | 0.514 | 75% |" in figures
    assert "| 100 | 50% |" in figures
    assert "| 100, data 12 times SQL's buffers | 90% |" in figures
    assert "| read-api | 1 | 10 |  |  |" in figures
    assert "p99" not in figures


def test_the_state_of_the_machine_is_above_the_figures():
    """A reader sees when they were measured, and whether something else went on."""
    figures = pays_off.figures(run(load=55.0), result())
    assert "2026-01-02, commit abc" in figures
    assert "Load of the machine at the beginning: 55" in figures


def test_figures_take_the_place_of_those_before():
    """The words around them are people's and stay, and a page without a place for them is refused."""
    page = f"Words.\n\n{pays_off.BEGIN}\n\nold\n\n{pays_off.END}\n\nMore words.\n"
    once = pays_off.put(page, "new")
    assert once == page.replace("old", "new")
    assert pays_off.put(once, "new") == once
    with pytest.raises(BenchError, match="no <!-- figures"):
        pays_off.put("Words.", "new")


def test_a_long_run_wins_over_a_short_one():
    """The page has one set of figures."""
    short, long = run("short"), run("long")
    assert pays_off.found_in([short, long])[0] == long
    assert pays_off.found_in([short])[0] == short
    assert pays_off.found_in([]) is None


def test_a_share_above_a_hundred_percent_is_none():
    """If a read costs no less, no share of reads makes up for the posts."""
    assert pays_off.share(75.0) == "75%"
    assert pays_off.share(float("inf")) == "no share"
