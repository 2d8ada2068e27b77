import pytest

from write_api import cli


def options(*arguments):
    return vars(cli._parser().parse_args(["dead-letters", *arguments]))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["list"], {"action": "list", "topic": "all"}),
        (["list", "--topic", "cheeper.events"], {"action": "list", "topic": "cheeper.events"}),
        (["show", "17"], {"action": "show", "id": 17}),
        (["replay", "some-key"], {"action": "replay", "key": "some-key", "all": False, "topic": "all"}),
        (["replay", "--all", "--topic", "cheeper.commands"], {"all": True, "key": None, "topic": "cheeper.commands"}),
        (["drop", "17", "--yes"], {"action": "drop", "id": 17, "yes": True}),
    ],
)
def test_each_form_of_the_command_line_is_parsed(given, expected):
    """Each action takes its own arguments: a source topic or both, a key or all, one message."""
    found = options(*given)
    assert {**found, **expected} == found


@pytest.mark.parametrize(
    "given",
    [[], ["list", "--topic", "cheeper.dead-letters"], ["show"], ["show", "x"], ["replay"], ["replay", "key", "--all"]],
)
def test_another_form_of_the_command_line_ends_with_2(given, capsys):
    """The usage is printed, and nothing is changed."""
    with pytest.raises(SystemExit) as ended:
        options(*given)
    assert ended.value.code == 2
    assert "usage: write-api dead-letters" in capsys.readouterr().err
