"""The table of a run."""

import pytest

from cheeper_e2e.hostile.attack.attacker import Strikes
from cheeper_e2e.hostile.attack.attacks.registry import ATTACKS
from cheeper_e2e.hostile.attack.good_client import Service
from cheeper_e2e.hostile.attack.judgement import Result
from cheeper_e2e.hostile.attack.report import BEGIN, COLUMNS, END, PAGE, row, written
from cheeper_e2e.hostile.attack.watch import Watched


@pytest.fixture
def result():
    return Result(
        attack=ATTACKS["bad-chunks"],
        without=Service(seconds=[0.010]),
        under=Service(seconds=[0.015], refused=["503"]),
        strikes=[Strikes(begun=600, statuses={400: 600}, cpu_seconds=0.5)] * 2,
        seconds=20,
        watched=Watched(before={"gateway": 2**26}, most={"gateway": 2**26 + 3 * 2**20}),
    )


def test_a_result_is_a_row(result):
    """Rates are per second, times in milliseconds, and growth in MiB with the process's name."""
    expected = ("bad-chunks", "60", "5%", "10 ms", "15 ms", "1.5", "1", "0", "+3 MiB gateway")
    assert row(result) == expected
    assert len(expected) == len(COLUMNS)


def test_the_page_has_a_place_for_the_figures(result):
    """Figures of a run replace those of the last one; the text around them stays."""
    page = PAGE.read_text()
    once = written(page, [result])
    assert "| bad-chunks | 60 |" in once
    assert written(once, [result]) == once
    assert once.partition(BEGIN)[0] == page.partition(BEGIN)[0]
    assert once.partition(END)[2] == page.partition(END)[2]


def test_a_page_without_a_place_is_an_error(result):
    """A page that lost its marker is reported."""
    with pytest.raises(LookupError, match="no place"):
        written("# Callers\n", [result])
