"""The output of an audit for people and programs."""

from __future__ import annotations

import io
import json

import pytest

from cheeper_audit.difference import Difference, Fault
from cheeper_audit.report import Report

MANY = tuple(Fault(str(number), str(number + 1)) for number in range(5))
DIFFERENCE = Difference(store="redis", view="author", id="a", faults=MANY)


class Terminal(io.StringIO):
    """Somewhere that shows progress bars."""

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """As a terminal of some width, whatever the tests run in."""
    for name, value in {"TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)


def phase(err):
    report = Report(io.StringIO(), err, as_json=False)
    with report.bars(), report.phase("authors", 2_000) as tick:
        tick(500)
        tick(1_500)
    return err.getvalue()


def test_a_terminal_gets_a_bar_with_rate():
    """The bar shows the number done, the total and the rate."""
    shown = phase(Terminal())
    assert "authors" in shown
    assert "2000/2000" in shown
    assert "/s" in shown


def test_a_file_gets_one_line_a_phase():
    """And no bar."""
    [line] = phase(io.StringIO()).splitlines()
    assert line.startswith("authors: 2,000 in ")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_difference_is_one_line(as_json):
    """All faults of a key or document are one line, which states whether it was repaired if that was tried."""
    out = io.StringIO()
    report = Report(out, io.StringIO(), as_json=as_json)
    for left in (None, frozenset[tuple[str, str, str]](), frozenset({DIFFERENCE.place})):
        report.add([DIFFERENCE], left)
    untried, repaired, unrepaired = out.getvalue().splitlines()
    if as_json:
        printed = [json.loads(line) for line in (untried, repaired, unrepaired)]
        assert [each["repaired"] for each in printed] == [False, True, False]
        assert [len(each["faults"]) for each in printed] == [5] * 3
    else:
        assert untried == ("redis author a: is 0, should be 1; is 1, should be 2; is 2, should be 3; and 2 more")
        assert (repaired, unrepaired) == (f"{untried}; repaired", f"{untried}; not repaired")
    assert (report.differences, report.left) == (3, 2)
