from __future__ import annotations

import argparse

import pytest

from cheeper_runtime.dead_letters import cli as dead_letters_cli


@pytest.fixture
def parse():
    """Parse arguments of the command, whose ids are numbers."""
    parser = argparse.ArgumentParser(prog="program")
    roles = parser.add_subparsers(dest="role")
    dead_letters_cli.add_to(roles, summary="parked messages", id_type=int, id_help="a number")
    return lambda *arguments: vars(parser.parse_args(["dead-letters", *arguments]))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["list"], {"action": "list"}),
        (["show", "3"], {"action": "show", "id": 3}),
        (["replay", "a-key"], {"action": "replay", "key": "a-key", "all": False}),
        (["replay", "--all"], {"action": "replay", "key": None, "all": True}),
        (["drop", "3"], {"action": "drop", "id": 3, "yes": False}),
        (["drop", "3", "--yes"], {"action": "drop", "id": 3, "yes": True}),
    ],
)
def test_each_action_takes_what_it_needs(parse, given, expected):
    """A message is named by its id, a replay by a key or by all."""
    assert parse(*given) == {"role": "dead-letters", **expected}


@pytest.mark.parametrize("given", [[], ["show"], ["show", "x"], ["replay"], ["replay", "key", "--all"], ["mend"]])
def test_another_form_ends_with_2(parse, given, capsys):
    """Incomplete or contradictory arguments are refused before anything is done."""
    with pytest.raises(SystemExit) as ended:
        parse(*given)
    assert ended.value.code == 2
    assert "usage: program dead-letters" in capsys.readouterr().err


def test_output_and_refusal(capsys):
    """Results go to stdout as JSON, a refusal with its program's name to stderr."""
    dead_letters_cli.write_json({"value": dead_letters_cli.text_of(b"a\xff")})
    dead_letters_cli.write_json({"id": 1}, indent=2)
    assert dead_letters_cli.refuse("program", "not parked") == 1
    assert capsys.readouterr() == ('{"value":"a\\\\xff"}\n{\n  "id": 1\n}\n', "program: not parked\n")
