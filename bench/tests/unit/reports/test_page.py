import msgspec

from cheeper_bench.measuring.bench import Reach
from cheeper_bench.measuring.machine import Machine
from cheeper_bench.measuring.results import BenchResult, Results, reached
from cheeper_bench.measuring.spread import spread_of
from cheeper_bench.reports import page

SIDES = {
    "ours": {"n/s": spread_of([12_345.0, 20_000.0, 9_000.0]), "p50 ms": spread_of([1.234])},
    "theirs": {"n/s": spread_of([50_000.0] * 3)},
}
REACHES = tuple(
    reached(reach, SIDES)
    for reach in (
        Reach(label="over theirs", side="ours", figure="n/s", over="theirs", wanted=0.5),
        Reach(label="latency", side="ours", figure="p50 ms", wanted=2, at="most", unit="ms"),
        Reach(label="over nobody", side="ours", figure="n/s", over="nobody", wanted=1),
        Reach(label="only shown", side="ours", figure="n/s", unit="n/s"),
    )
)
BENCH = BenchResult(
    name="b",
    title="B",
    about="What it measures.\n",
    runs=3,
    seconds=7.4,
    sides=SIDES,
    missing={"nobody": "is not on the PATH"},
    reaches=REACHES,
)
FAILED = BenchResult(name="f", title="F", about="About f.", failed="There is no Java.")
RESULTS = Results(
    began="2026-01-02T03:04:05+00:00",
    length="short",
    commit="abc123",
    changed=True,
    machine=Machine(
        processor="P", cores=2, memory_gib=23.5, system="Linux 6", python="3.11.7", servers=("redis: 9", "kafka: 4")
    ),
    benches=(BENCH, FAILED),
)


def test_the_summary_has_the_reach_beside_each_figure():
    """Each reach is a row: the value with its spread, the bound, and whether it is met, or that it has no value."""
    assert page.summary(RESULTS).splitlines() == [
        "| what | figure | measured | reach | met |",
        "| --- | --- | --- | --- | --- |",
        "| B | over theirs | 0.247 (0.18..0.4) x | at least 0.5 x | **no** |",
        "| B | latency | 1.23 ms | at most 2 ms | yes |",
        "| B | over nobody | not measured | at least 1 x |  |",
        "| B | only shown | 12,345 (9,000..20,000) n/s |  |  |",
        "| F | not measured | There is no Java. |  | no |",
    ]


def test_a_side_that_is_missing_has_a_row_that_says_why():
    """A side that is missing has a row with the reason."""
    text = page.page([RESULTS], "")
    assert "| ours | 12,345 (9,000..20,000) | 1.23 |" in text
    assert "| theirs | 50,000 (50,000..50,000) |  |" in text
    assert "| nobody | not measured: is not on the PATH |  |" in text
    assert "Not measured: There is no Java." in text


def test_the_page_says_on_what_it_was_measured():
    """Commit, changes, machine, servers and the command are beside the figures."""
    text = page.page([RESULTS], "")
    for part in ("make bench", "2026-01-02", "abc123, with changes", "P, 2 cores, 23.5 GiB", "redis: 9; kafka: 4"):
        assert part in text


def test_the_page_holds_the_notes_and_the_plots_that_there_are():
    """The page has the notes from their own file, and each plot beside its table."""
    text = page.page([RESULTS], "## What falls short\n\nB does, since …\n", ["b"])
    assert "## What falls short" in text
    assert "![B](performance/b.svg)" in text
    assert "performance/f.svg" not in text


def test_the_long_run_has_plots_of_its_own():
    """A benchmark that both runs have shows each run's figures beside its own table."""
    both = [RESULTS, msgspec.structs.replace(RESULTS, length="long")]
    text = page.page(both, "", ["b", "b-long"])
    assert text.index("![B](performance/b.svg)") < text.index("## B (long run)") < text.index("performance/b-long.svg)")


def test_numbers_have_three_digits_that_mean_something():
    """Figures are read, not calculated with."""
    assert [page.number(value) for value in (0, 0.01234, 1.5, 99.94, 1234567.8)] == [
        "0",
        "0.0123",
        "1.5",
        "99.9",
        "1,234,568",
    ]


def test_a_pipe_in_a_cell_does_not_end_it():
    """A table stays whole, whatever text a server gives."""
    assert page.table(["a"], [["x|y"]]).splitlines()[-1] == "| x\\|y |"
