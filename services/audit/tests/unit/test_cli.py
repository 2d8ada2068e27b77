import pytest

from cheeper_audit import cli


@pytest.mark.parametrize("option", ["--patience", "--for"])
@pytest.mark.parametrize("wrong", ["-1", "nan", "inf", "x", ""])
def test_a_wrong_number_of_seconds_is_refused(option, wrong, capsys):
    """In a sentence, with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        cli._options(["--watch", option, wrong])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"argument {option}: must be a number of seconds\n")
