import pytest

from cheeper_bench.errors import BenchError
from cheeper_bench.measuring import results
from cheeper_bench.measuring.bench import Reach
from cheeper_bench.measuring.machine import Machine
from cheeper_bench.measuring.results import BenchResult, Results, reached
from cheeper_bench.measuring.spread import spread_of

MACHINE = Machine(processor="P", cores=2, memory_gib=24, system="Linux 6", python="3.11.7", servers=("redis: 9",))
SIDES = {
    "ours": {"n/s": spread_of([10.0, 20.0])},
    "theirs": {"n/s": spread_of([5.0, 5.0]), "m/s": spread_of([1.0, 1.0])},
}


def whole(*benches, **options):
    fields = {"began": "2026-01-01T00:00:00+00:00", "length": "short", "commit": "abc", "changed": False}
    return Results(**(fields | options), machine=MACHINE, benches=benches)


@pytest.mark.parametrize(
    ("options", "median", "met"),
    [
        ({"over": "theirs", "wanted": 3}, 3, True),
        ({"over": "theirs", "wanted": 3.1}, 3, False),
        ({"over": "theirs", "wanted": 3.1, "at": "most"}, 3, True),
        ({"over": "theirs", "over_figure": "m/s", "wanted": 10}, 15, True),
        ({"wanted": 15}, 15, True),
        ({"over": "theirs"}, 3, None),
    ],
)
def test_a_reach_is_met_by_the_median(options, median, met):
    """A reach holds a figure's median, or that of its ratio, against its bound; without one it only shows."""
    found = reached(Reach(label="", side="ours", figure="n/s", **options), SIDES)
    assert found.value.median == median
    assert found.met is met


def test_a_reach_over_a_missing_side_has_no_value():
    """A reach without a value is neither met nor missed."""
    found = reached(Reach(label="", side="ours", figure="n/s", over="nobody", wanted=1), SIDES)
    assert found.value is None
    assert found.met is None


def test_results_come_back_from_their_file(tmp_path):
    """The file holds all that the page and the guard are made of."""
    reach = reached(Reach(label="over theirs", side="ours", figure="n/s", over="theirs", wanted=2), SIDES)
    bench = BenchResult(name="b", title="B", about="…", runs=2, seconds=1.5, sides=SIDES, reaches=(reach,))
    path = tmp_path / "new" / "short.json"
    results.write(whole(bench), path)
    assert results.read(path) == whole(bench)
    assert path.read_text().count("\n") > 20  # for people, too


def test_a_file_that_is_none_is_refused_in_a_sentence(tmp_path):
    """A broken file is named."""
    path = tmp_path / "short.json"
    path.write_text("{")
    with pytest.raises(BenchError, match=r"short\.json"):
        results.read(path)


def test_one_benchmark_again_takes_its_place_among_the_others():
    """`--only` replaces one row where commit and machine are the same, so that the table stays one of one state."""
    old = [BenchResult(name=name, title=name, about="") for name in "ab"]
    new = BenchResult(name="b", title="new", about="")
    assert [bench.title for bench in results.merged(whole(*old), whole(new)).benches] == ["a", "new"]
    assert results.merged(whole(*old, commit="before"), whole(new)) == whole(new)
    assert results.merged(None, whole(new)) == whole(new)
