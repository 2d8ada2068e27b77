from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from cheeper_local.settings import CLONE

MAKEFILE = CLONE / "Makefile"


def test_help_lists_every_target():
    """Each target that is declared phony has a line, below its group in the order of use."""
    text = subprocess.run(["make", "-s", "-C", CLONE, "help"], capture_output=True, text=True, check=True).stdout  # noqa: S607 - as a person calls it
    listed = {line.split()[1] for line in text.splitlines() if line.startswith("  make ")}
    phony = {
        name for line in re.findall(r"^\.PHONY: (.*)$", MAKEFILE.read_text(), re.MULTILINE) for name in line.split()
    }
    assert listed == phony
    groups = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert groups == ["run", "look", "change", "test", "measure"]


def test_an_old_python_is_refused_with_a_sentence(tmp_path):
    """An old Python ends make with a sentence, and .venv is not made."""
    shutil.copy(MAKEFILE, tmp_path)
    for name in re.findall(
        r"(\S+/pyproject\.toml|requirements\.lock|pyproject\.toml)", "requirements.lock pyproject.toml"
    ):
        (tmp_path / name).touch()
    packages = re.search(r"^PACKAGES := (.*)$", MAKEFILE.read_text(), re.MULTILINE)
    assert packages is not None
    for package in packages.group(1).split():
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "pyproject.toml").touch()
    old = tmp_path / "python-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    command = ["make", "-s", "-C", tmp_path, "up", f"PYTHON={old}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert f"Cheeper needs Python 3.11 or later, and {old} is none" in result.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["up", "BROKER=foo"], 'BROKER is "foo", but must be kafka or tansu.'),
        (["up", "PORT=eighty"], 'PORT is "eighty", but must be a number.'),
        (["audit", "REPAIR=maybe"], 'REPAIR is "maybe", but must be 1 or left out.'),
        (["audit", "GENERATION=2"], "GENERATION needs STORE."),
        (["audit", "REPAIR=1", "WATCH=1"], "REPAIR and WATCH exclude each other."),
        (["attack", "SHORT=yes"], 'SHORT is "yes", but must be 1 or left out.'),
        (["fuzz-http", "CASES=many"], 'CASES is "many", but must be a whole number.'),
        (["fuzz", "SEED=one"], 'SEED is "one", but must be a whole number.'),
        (["load"], "Say what to load: make load GRAPH=file TEXTS=file."),
        (["load", "GRAPH=x"], "Say what to load: make load GRAPH=file TEXTS=file."),
        (["load", "TEXTS=x"], "Say what to load: make load GRAPH=file TEXTS=file."),
    ],
)
def test_arguments_are_checked_before_anything_is_set_up(tmp_path, arguments, sentence):
    """A wrong argument ends make with one line, and .venv is not made."""
    shutil.copy(MAKEFILE, tmp_path)
    command = ["make", "-s", "-C", tmp_path, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert result.stderr.count("\n") == 1
    assert sentence in result.stderr
    assert not (tmp_path / ".venv").exists()
