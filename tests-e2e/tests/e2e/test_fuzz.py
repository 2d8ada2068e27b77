"""The fuzz as a command line."""

import os

import psycopg
import pytest

from cheeper_e2e import fuzz

pytestmark = [pytest.mark.local, pytest.mark.timeout(300)]


@pytest.fixture
def database_url(local_stack, monkeypatch):
    """The write model, where the command line looks for it."""
    monkeypatch.setenv("DATABASE_URL", local_stack.environment["DATABASE_URL"])
    return os.environ["DATABASE_URL"]


def run(url, *arguments):
    return fuzz.main(["--url", url, "--commands", "200", "--authors", "5", *arguments])


def test_no_difference(url, database_url, capsys):
    """Exit code 0, with how much was sent and the seed to send it again."""
    assert run(url, "--seed", "3") == 0
    printed = capsys.readouterr().out
    assert "no difference" in printed
    assert "200 commands, 5 authors, seed 3" in printed


def test_nothing_answers(database_url, capsys):
    """Where no gateway answers the command line says so, with exit code 2."""
    assert run("http://127.0.0.1:9", "--patience", "0") == 2
    assert capsys.readouterr().err.startswith("Nothing answers")
