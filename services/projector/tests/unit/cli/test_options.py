import pytest

from projector.cli import main as cli

NUMBERS = [
    ("run", "--limit"),
    ("run", "--generation"),
    ("tasks", "--limit"),
    ("tasks", "--generation"),
    ("status", "--generation"),
    ("dead-letters", "list", "--generation"),
    ("switch", "--store", "redis", "--generation"),
    ("forget", "--store", "redis", "--generation"),
    ("rebuild", "--store", "redis", "--rate"),
]


@pytest.mark.parametrize("arguments", NUMBERS, ids=" ".join)
def test_a_number_is_whole_and_from_1_on(arguments, capsys):
    """A wrong number is refused in a sentence before anything is changed: a rate of 0 would never end."""
    parser = cli._parser()
    assert vars(parser.parse_args([*arguments, "3"]))[arguments[-1].removeprefix("--")] == 3
    for wrong in ("0", "-1", "1.5", "nan", "x", ""):
        with pytest.raises(SystemExit) as ended:
            parser.parse_args([*arguments, wrong])
        assert ended.value.code == 2
        assert capsys.readouterr().err.endswith(f"argument {arguments[-1]}: must be a whole number from 1\n")
