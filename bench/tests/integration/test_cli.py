from cheeper_bench.cli import main
from cheeper_bench.measuring import results
from cheeper_bench.reports import guard
from cheeper_bench.reports.guard import Guard


def test_a_benchmark_alone_leaves_its_figures_and_prints_its_reaches(tmp_path, capsys):
    """The whole way, from servers with durability on to the file and the table, on the smallest size."""
    path = tmp_path / "tiny.json"
    assert main(["--tiny", "--only", "fan_out", "--out", str(path)]) == 0
    [bench] = results.read(path).benches
    assert {"Cheeper", "client pipeline"} <= bench.sides.keys()
    assert bench.sides["Cheeper"]["entries/s"].median > 0
    assert bench.sides.keys() | bench.missing.keys() == {"Cheeper", "client pipeline", "LPUSH at its best"}
    printed = capsys.readouterr().out
    assert "| Fan-out into full timelines | over a client pipeline |" in printed
    assert "at least 5 x" in printed


def test_a_name_that_is_no_benchmark_is_refused_with_those_that_are(capsys):
    """Whoever mistypes a name reads the right ones."""
    assert main(["--tiny", "--only", "fanout"]) == 1
    assert "fan_out, timeline_read" in capsys.readouterr().err


def test_the_guard_ends_with_1_and_the_name_of_what_has_halved(tmp_path, monkeypatch, capsys):
    """CI fails by the exit code, and its log says which ratio it was, and which were not measured."""
    path = tmp_path / "guard.json"
    path.write_text('{"commit": "abc", "ratios": {"fan_out": 1000000}}')
    monkeypatch.setattr(guard.read, "__defaults__", (path,))
    assert guard.read() == Guard(commit="abc", ratios={"fan_out": 1_000_000})
    assert main(["--guard", "--only", "fan_out", "--runs", "1"]) == 1
    printed = capsys.readouterr().out
    assert "fan_out: fan-out, over a client pipeline is" in printed
    assert "worker: " in printed
    assert "was not measured" in printed
