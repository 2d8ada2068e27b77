from __future__ import annotations

import pytest

from cheeper_audit.views.table import SWEEPS
from cheeper_contracts import views

pytestmark = pytest.mark.proves(guarantee="audit")


def test_every_view_is_audited():
    """All that the contracts give a lag objective, but for the records of commands."""
    declared = {("redis", each.name) for each in views.KEY_PATTERNS if each.lag_ms is not None}
    declared |= {("mongo", each.name) for each in views.COLLECTIONS if each.lag_ms is not None}
    commands = {("redis", views.COMMAND_RECORD.name), ("mongo", views.COMMANDS.name)}
    assert {(view.store, view.name) for sweep in SWEEPS for view in sweep.views} == declared - commands
