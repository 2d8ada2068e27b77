import pytest

from cheeper_bench.benches import BENCHES
from cheeper_bench.errors import BenchError
from cheeper_bench.measuring.machine import Machine
from cheeper_bench.measuring.results import BenchResult, Results
from cheeper_bench.measuring.spread import spread_of
from cheeper_bench.reports import guard
from cheeper_bench.reports.guard import Guard

MACHINE = Machine(processor="P", cores=2, memory_gib=24, system="Linux 6", python="3.11.7", servers=())
GUARD = Guard(commit="abc", ratios=dict.fromkeys(guard.RATIOS, 4.0))


def run(ratios, **failed):
    """Results of a guard's run with these ratios."""
    found = {}
    for name, one in guard.RATIOS.items():
        sides = found.setdefault(one.bench, {})
        sides[one.reach.side] = {one.reach.figure: spread_of([ratios[name]])}
        sides[one.reach.over] = {one.reach.figure: spread_of([1.0])}
    benches = [
        BenchResult(name=name, title=name, about="", failed=failed[name])
        if name in failed
        else BenchResult(name=name, title=name, about="", sides=sides)
        for name, sides in found.items()
    ]
    return Results(began="", length="guard", commit="abc", changed=False, machine=MACHINE, benches=tuple(benches))


def reasons(results):
    return [verdict.text for verdict in guard.judge(GUARD, results) if verdict.failed]


def worse_by(name, times):
    """A run in which one ratio became worse by so many times."""
    is_cost = guard.RATIOS[name].reach.at == "most"
    return run(dict.fromkeys(guard.RATIOS, 4.0) | {name: 4.0 * times if is_cost else 4.0 / times})


@pytest.mark.parametrize("name", guard.RATIOS)
@pytest.mark.parametrize("times", [0.1, 1.0, 1.45])
def test_a_ratio_that_lost_less_than_a_third_is_well(name, times):
    """Machines differ and so do minutes; a ratio that became better is well as well."""
    assert reasons(worse_by(name, times)) == []


@pytest.mark.parametrize("name", guard.RATIOS)
def test_a_ratio_that_lost_more_than_that_is_named(name):
    """Whoever broke it reads which one it is, what it is and what it may be: a third, and of the fan-out a half."""
    times = 1.55 if guard.RATIOS[name].least > 0.6 else 2.05
    [reason] = reasons(worse_by(name, times))
    assert reason.startswith(f"{name}: ")
    bound = GUARD.bound(name)
    assert f"{bound:.3g}: worse" in reason


def test_a_ratio_that_was_not_measured_is_no_pass():
    """A benchmark that does not run any more would guard nothing."""
    [reason] = reasons(run(dict.fromkeys(guard.RATIOS, 4.0), worker="There is no Java."))
    assert "worker" in reason
    assert "There is no Java." in reason


def test_kept_ratios_are_those_that_are_guarded(tmp_path):
    """`--guard --keep` writes what `--guard` reads."""
    path = tmp_path / "guard.json"
    guard.keep(run(dict.fromkeys(guard.RATIOS, 3.14159)), path)
    assert guard.read(path) == Guard(commit="abc", ratios=dict.fromkeys(guard.RATIOS, 3.142))
    with pytest.raises(BenchError, match=r"other\.json"):
        guard.read(tmp_path / "other.json")


@pytest.mark.parametrize("name", guard.RATIOS)
def test_each_guarded_benchmark_has_a_guards_length(name):
    """A ratio is guarded of a benchmark that CI's minute runs, and the checked-in file knows it."""
    assert "guard" in BENCHES[guard.RATIOS[name].bench].lengths
    assert guard.read().bound(name) is not None
