import types

import pytest

from cheeper_bench.errors import BenchError, NotDurableError, UnavailableError
from cheeper_bench.measuring import rounds
from cheeper_bench.measuring.bench import Missing


def take(sides, number, **options):
    return rounds.take(sides, number, warm_up=options.get("warm_up", False), log=lambda _: None)


def logged(log, name, figures=None):
    def run():
        log.append(name)
        return figures or {"n": float(len(log))}

    return run


def test_sides_are_run_in_turns():
    """Whatever the machine does meanwhile meets all sides: no side has all its runs in a row, or always goes first."""
    log = []
    take({name: logged(log, name) for name in "abc"}, 3)
    assert log == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]


def test_the_warm_up_is_run_and_not_counted():
    """The first round warms up alone."""
    log = []
    samples, _ = take({"a": logged(log, "a")}, 2, warm_up=True)
    assert len(log) == 3
    assert samples == {"a": {"n": [2.0, 3.0]}}


def test_a_missing_side_says_why_and_the_others_go_on():
    """A program that is not here costs its own row alone."""
    samples, missing = take({"a": logged([], "a", {"n": 1.0}), "b": Missing("is not here")}, 2)
    assert samples == {"a": {"n": [1.0, 1.0]}}
    assert missing == {"b": "is not here"}


def test_a_side_that_turns_out_unavailable_is_left_out():
    """A figure of fewer runs than the others does not count."""

    def fails():
        raise UnavailableError("does not run here")

    samples, missing = take({"a": logged([], "a", {"n": 1.0}), "b": fails}, 3)
    assert "b" not in samples
    assert missing == {"b": "does not run here"}
    assert samples["a"]["n"] == [1.0, 1.0, 1.0]


def measured(error):
    def bench_open(_ground, _length):
        raise error

    bench = types.SimpleNamespace(name="x", title="X", about="", open=bench_open, warm_up=False, reaches=())

    class Environment:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    return rounds.measure(bench, Environment, "tiny", 1, lambda _: None)


def test_a_benchmark_that_cannot_be_run_says_why():
    """The other benchmarks go on, and the page names this one."""
    assert measured(BenchError("no room")).failed == "no room"


def test_nothing_is_counted_with_a_property_switched_off():
    """A server that does not keep what it confirms ends the whole run."""
    with pytest.raises(NotDurableError):
        measured(NotDurableError("fsync is off"))
