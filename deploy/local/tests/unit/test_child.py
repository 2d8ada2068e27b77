from __future__ import annotations

import pytest

from cheeper_local.runner.child import how_it_ended


@pytest.mark.parametrize(
    ("code", "said"), [(0, "exit code 0"), (2, "exit code 2"), (-9, "by SIGKILL"), (-99, "by signal 99")]
)
def test_an_end_is_said_as_people_say_it(code, said):
    """A signal by its name."""
    assert how_it_ended(code) == said
