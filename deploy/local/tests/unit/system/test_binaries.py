from __future__ import annotations

import pytest

from cheeper_local.errors import LocalError
from cheeper_local.system.binaries import in_wheel, locate, on_path


@pytest.fixture
def program(tmp_path):
    def make(name: str, script: str):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return make


def test_the_path_comes_before_the_wheel(program):
    """A program of the machine is used if it is recent enough."""
    mine, wheel = program("mine", "echo v8.1.0"), program("wheel", "echo v7.0.1")
    assert locate("It", mine, (wheel, "its-wheel"), at_least=8).origin == f"{mine}, version 8 from the PATH"
    assert locate("It", mine, (wheel, "its-wheel"), at_least=9).path == wheel


def test_neither_is_a_sentence_that_names_the_wheel():
    """The error about a missing program names the wheel that has it."""
    with pytest.raises(LocalError, match=r"^It is missing: .* the wheel its-wheel is not installed\.$"):
        locate("It", None, (None, "its-wheel"), at_least=1)


def test_the_output_of_a_program_that_does_not_run_is_reported(program):
    """The error about a program that cannot run, for example without a shared library, has its message."""
    broken = program("broken", "echo 'libcurl.so.4: cannot open shared object file' >&2; exit 127")
    with pytest.raises(LocalError, match=r"does not run on this machine: libcurl\.so\.4: cannot open"):
        locate("It", None, (broken, "its-wheel"), at_least=1)


def test_the_path_can_be_ignored(monkeypatch):
    """SERVERS_FROM=wheels takes what requirements.lock pins."""
    assert on_path("sh") is not None
    monkeypatch.setenv("SERVERS_FROM", "wheels")
    assert on_path("sh") is None


def test_a_wheel_that_is_not_installed_has_no_file():
    """The lookup in a missing wheel imports nothing and raises nothing."""
    assert in_wheel("no_such_package", "bin/*") is None
