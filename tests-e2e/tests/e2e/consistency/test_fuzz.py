"""The fuzz as a command line."""

import pytest

from cheeper_e2e.actions import fuzz

pytestmark = pytest.mark.local


@pytest.fixture(autouse=True)
def _write_model(local_stack, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", local_stack.environment["DATABASE_URL"])


def run(url, *arguments):
    return fuzz.main(["--url", url, "--commands", "200", "--authors", "5", *arguments])


def test_no_difference(url, callers, capsys):
    """Exit code 0, with how much was sent and the seed to send it again."""
    issuer = () if callers is None else ("--issuer", str(callers.folder))
    assert run(url, "--seed", "3", *issuer) == 0
    printed = capsys.readouterr().out
    assert "no difference" in printed
    assert "200 commands, 5 authors, seed 3" in printed


def test_an_unreachable_gateway_is_reported(capsys):
    """The command line reports a gateway that does not respond, with exit code 2."""
    assert run("http://127.0.0.1:9", "--patience", "0") == 2
    assert capsys.readouterr().err.startswith("Nothing responds")
