from __future__ import annotations

import pytest

from cheeper_local.runner.child import describe_exit


@pytest.mark.parametrize(
    ("code", "text"), [(0, "exit code 0"), (2, "exit code 2"), (-9, "by SIGKILL"), (-99, "by signal 99")]
)
def test_an_exit_code_is_described(code, text):
    """An exit code of a signal is described by the signal's name."""
    assert describe_exit(code) == text
