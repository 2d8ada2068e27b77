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
    benches = []
    for name, reach in guard.RATIOS.items():
        if name in failed:
            benches.append(BenchResult(name=name, title=name, about="", failed=failed[name]))
            continue
        sides = {reach.side: {reach.figure: spread_of([ratios[name]])}, reach.over: {reach.figure: spread_of([1.0])}}
        benches.append(BenchResult(name=name, title=name, about="", sides=sides))
    return Results(began="", length="guard", commit="abc", changed=False, machine=MACHINE, benches=tuple(benches))


def reasons(results):
    return [verdict.reason for verdict in guard.judge(GUARD, results) if verdict.reason]


@pytest.mark.parametrize("ratio", [4.0, 2.0, 40.0])
def test_a_ratio_down_to_half_of_what_it_was_is_well(ratio):
    """Machines differ and so do minutes: the guard is against a halving alone."""
    assert reasons(run(dict.fromkeys(guard.RATIOS, ratio))) == []


@pytest.mark.parametrize("name", guard.RATIOS)
def test_a_ratio_that_has_halved_is_named(name):
    """Whoever broke it reads which one it is, what it was and what it is."""
    [reason] = reasons(run(dict.fromkeys(guard.RATIOS, 4.0) | {name: 1.99}))
    assert reason.startswith(f"{name}: ")
    assert "1.99" in reason
    assert "2.00" in reason


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
    assert "guard" in BENCHES[name].lengths
    assert guard.read().floor(name) is not None
