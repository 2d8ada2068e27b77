from __future__ import annotations

import io
import re

import pytest

from cheeper_local.runner import output as output_module
from cheeper_local.runner.output import Output, for_people


def test_lines_are_readable_on_the_terminal_and_unchanged_in_the_file(tmp_path):
    """A line has its process's name on the terminal, and is JSON in the process's file."""
    terminal = io.StringIO()
    output = Output(tmp_path, terminal)
    output.lines("worker", [b'{"event": "command handled", "message_id": "m"}'])
    output.close()
    assert (tmp_path / "worker.log").read_text() == '{"event": "command handled", "message_id": "m"}\n'
    assert terminal.getvalue() == "worker          | command handled message_id=m\n"


def test_a_log_is_bounded_while_its_process_runs(tmp_path, monkeypatch):
    """A flood of lines keeps the newest ones, in two files of a known size. Broken by a rotation at the start alone."""
    monkeypatch.setattr(output_module, "KEEP_BYTES", 100)
    output = Output(tmp_path, None)
    for number in range(1000):
        output.lines("worker", [b"%020d" % number])
    output.close()
    kept = (tmp_path / "worker.old.log").read_bytes() + (tmp_path / "worker.log").read_bytes()
    assert len(kept) <= 2 * (100 + 21)
    lines = kept.split()
    assert lines == [b"%020d" % number for number in range(1000 - len(lines), 1000)]


def test_the_runners_own_lines_name_the_process_and_have_the_time(tmp_path):
    """A report of the runner is in the columns of the process's own lines."""
    terminal = io.StringIO()
    output = Output(tmp_path, terminal)
    output.report("process-manager", "died")
    output.close()
    assert re.fullmatch(r"process-manager \| \d\d:\d\d:\d\d died\n", terminal.getvalue())
    assert (tmp_path / "cheeper.log").read_text() == "process-manager: died\n"


def test_each_process_has_a_colour_of_its_own(tmp_path):
    """On a terminal with colours, the prefixes of two processes differ."""
    terminal = io.StringIO()
    output = Output(tmp_path, terminal, coloured=True)
    for name in ("worker", "relay"):
        output.lines(name, [b'{"event": "ready"}'])
    output.close()
    worker, relay = terminal.getvalue().splitlines()
    assert worker.split("m", 1)[0] != relay.split("m", 1)[0]


def test_a_json_line_is_shown_as_time_event_and_pairs():
    """The level is shown from warning on, and values with spaces are quoted."""
    line = '{"timestamp": "2026-11-23T01:02:03.5Z", "level": "%s", "event": "handled", "key": "a", "reason": "b c"}'
    assert for_people(line % "info", coloured=False) == '01:02:03 handled key=a reason="b c"'
    assert for_people(line % "error", coloured=False) == '01:02:03 [error] handled key=a reason="b c"'


@pytest.mark.parametrize("field", ['"service": "write-api"', '"logger": "admin"', '"offset": null'])
def test_a_field_without_news_is_left_out(field):
    """The prefix names the process already, and an empty field says nothing."""
    assert for_people(f'{{"event": "ready", {field}}}', coloured=False) == "ready"


def test_a_line_of_caddy_is_shown_alike():
    """Caddy has its message in msg, and its time as a number."""
    assert for_people('{"level": "info", "ts": 3661.5, "msg": "serving"}', coloured=False) == "01:01:01 serving"


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "{oops", "[1]", "", '"text"'])
def test_any_other_line_is_shown_unchanged(line):
    """A line that is no JSON object is not changed."""
    assert for_people(line, coloured=True) == line


def test_a_closed_terminal_is_no_longer_written_to(tmp_path):
    """After `make up | head` the files are still written."""

    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    output = Output(tmp_path, Gone())
    output.lines("worker", [b"one"])
    output.lines("worker", [b"two", b"three"])
    output.close()
    assert (tmp_path / "worker.log").read_text() == "one\ntwo\nthree\n"


def test_a_quiet_terminal_shows_the_runners_own_lines_alone(tmp_path):
    """A stack in the background writes each line once."""
    terminal = io.StringIO()
    output = Output(tmp_path, terminal, quiet=True)
    output.lines("worker", [b"one"])
    output.report("worker", "died")
    output.close()
    assert (tmp_path / "worker.log").read_text() == "one\n"
    assert terminal.getvalue().endswith(" died\n")
    assert "one" not in terminal.getvalue()


def test_a_brief_terminal_shows_warnings_and_lines_that_are_no_json(tmp_path):
    """While the stack starts, routine lines go to the files alone."""
    terminal = io.StringIO()
    output = Output(tmp_path, terminal)
    output.brief = True
    output.lines("worker", [b'{"level": "info", "event": "one"}', b'{"level": "warning", "event": "two"}', b"three"])
    output.close()
    assert terminal.getvalue().splitlines() == ["worker          | [warning] two", "worker          | three"]
    assert len((tmp_path / "worker.log").read_text().splitlines()) == 3
