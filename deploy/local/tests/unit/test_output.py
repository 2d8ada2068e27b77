from __future__ import annotations

import io

from cheeper_local.runner.output import Output, for_people


def test_lines_carry_their_process_on_the_terminal_and_stand_as_they_are_in_its_file(tmp_path):
    """The prefix is for people, the file for grep."""
    terminal = io.StringIO()
    output = Output(tmp_path, terminal)
    output.lines("worker", [b'{"event": "command handled", "message_id": "m"}'])
    output.say("All is well.")
    output.close()
    assert (tmp_path / "worker.log").read_text() == '{"event": "command handled", "message_id": "m"}\n'
    assert terminal.getvalue().splitlines() == [
        'worker       | {"event": "command handled", "message_id": "m"}',
        "cheeper      | All is well.",
    ]


def test_each_process_has_a_colour_of_its_own(tmp_path):
    """On a terminal with colours, prefixes differ and JSON becomes readable."""
    terminal = io.StringIO()
    output = Output(tmp_path, terminal, coloured=True)
    for name in ("worker", "relay"):
        output.lines(name, [b'{"event": "ready"}'])
    output.close()
    worker, relay = terminal.getvalue().splitlines()
    assert worker.split("m", 1)[0] != relay.split("m", 1)[0]
    assert "{" not in worker


def test_a_json_line_is_shown_as_time_event_and_pairs():
    """The level shows where it matters; values with spaces are quoted."""
    line = '{"timestamp": "2026-11-23T01:02:03.5Z", "level": "%s", "event": "handled", "key": "a", "why": "b c"}'
    assert for_people(line % "info", coloured=False) == '01:02:03 handled key=a why="b c"'
    assert for_people(line % "error", coloured=False) == '01:02:03 [error] handled key=a why="b c"'


def test_caddys_lines_are_shown_alike():
    """Its message is in msg, its time a number."""
    assert for_people('{"level": "info", "ts": 1.5, "msg": "serving"}', coloured=False) == "serving"


def test_any_other_line_is_shown_as_it_is():
    """Tracebacks, banners and broken JSON."""
    for line in ("Traceback (most recent call last):", "{oops", "[1]", "", '"text"'):
        assert for_people(line, coloured=True) == line


def test_a_terminal_that_went_away_is_forgotten(tmp_path):
    """`make up | head` goes on writing its files."""

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
    output.say("The worker died.")
    output.close()
    assert (tmp_path / "worker.log").read_text() == "one\n"
    assert terminal.getvalue() == "cheeper      | The worker died.\n"
