from __future__ import annotations

import pytest

from cheeper_local.runner.probe import unmet_needs


def test_unmet_needs_are_named_with_their_reasons():
    """A process that is not ready is reported by what it waits for."""
    body = '{"data": {"redis": {"ok": true, "why": null}, "kafka": {"ok": false, "why": "does not respond"}}}'
    assert unmet_needs(body) == "kafka does not respond"


@pytest.mark.parametrize("body", ["no response in time", "{", "[]", '{"data": 1}'])
def test_any_other_body_is_shown_unchanged(body):
    """A page that is no health page is its own reason."""
    assert unmet_needs(body) == body
