from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from cheeper_local.settings import CLONE

MAKEFILE = CLONE / "Makefile"


def test_help_lists_every_target():
    """A line each, of all that are declared phony."""
    said = subprocess.run(["make", "-s", "-C", CLONE, "help"], capture_output=True, text=True, check=True).stdout  # noqa: S607 - as a person calls it
    listed = {line.split()[1] for line in said.splitlines() if line.startswith("make ")}
    phony = {
        name for line in re.findall(r"^\.PHONY: (.*)$", MAKEFILE.read_text(), re.MULTILINE) for name in line.split()
    }
    assert listed == phony


def test_an_old_python_is_refused_with_a_sentence(tmp_path):
    """Exit code not 0, and nothing is set up."""
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


@pytest.mark.parametrize("arguments", [[], ["GRAPH=x"], ["TEXTS=x"]])
def test_load_says_what_it_needs(arguments):
    """Both files, before anything is sent."""
    command = ["make", "-s", "-C", CLONE, "--old-file=.venv/.of-lock", "load", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "make load GRAPH=file TEXTS=file" in result.stderr
