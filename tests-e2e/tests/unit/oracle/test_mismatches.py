"""The comparison of replies with the write model, without a system."""

import httpx
import pytest

from cheeper_e2e.http.client import Reply
from cheeper_e2e.oracle import mismatches


def reply(status, data):
    return Reply(status=status, headers=httpx.Headers(), raw=b"", curl="curl -s /x", data=data, meta={})


def test_data_must_be_equal():
    """Another status, another value, a key too many and one too few are differences."""
    wanted = {"a": 1, "b": None}
    assert mismatches.of_data(reply(200, dict(wanted)), wanted) == []
    for wrong in (reply(404, wanted), reply(200, {"a": 2, "b": None}), reply(200, {**wanted, "c": 1}), reply(200, {})):
        assert len(mismatches.of_data(wrong, wanted)) == 1


def test_an_error_must_be_the_one():
    """Another status or another code is a difference."""
    assert mismatches.of_status(reply(404, {"code": "x"}), 404, "x") == []
    for wrong in (reply(200, {}), reply(404, {"code": "y"}), reply(422, {"code": "x"})):
        assert len(mismatches.of_status(wrong, 404, "x")) == 1


@pytest.mark.parametrize(
    ("shown", "place"), [([1, 2], 2), ([1, 2, 3, 4], 3), ([2, 1, 3], 0), ([1, 3, 2], 1), ([], 0), ([1, 1, 2, 3], 1)]
)
def test_a_list_must_be_the_same_in_order(shown, place):
    """A missing, unexpected, duplicate or misplaced entry is a difference, reported with its first place."""
    assert mismatches.of_entries("x", [1, 2, 3], [1, 2, 3]) == []
    [sentence] = mismatches.of_entries("x", shown, [1, 2, 3])
    assert f"has {len(shown)} entries, not 3; from number {place} on" in sentence
