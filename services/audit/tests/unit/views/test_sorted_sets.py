from __future__ import annotations

from unittest.mock import patch
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheeper_audit.stores.redis import Unreadable
from cheeper_audit.views.redis import sorted_sets
from cheeper_audit.views.redis.author_cheeps import AuthorCheeps
from cheeper_audit.views.view import Stores
from cheeper_contracts import views

OWNER = str(UUID(int=1))
ENTRIES = [views.pack_entry(date, str(UUID(int=date))) for date in range(1, 13)]
entries = st.sets(st.sampled_from(ENTRIES))


class FakeRedisViews:
    """One sorted set, or a key of another type if `scores` is None."""

    def __init__(self, scores):
        self.scores = scores
        self.longest = 0

    def key(self, pattern, identifier):
        return f"{pattern.name}:{identifier}"

    def execute(self, commands):
        return [self._run(*command) for command in commands]

    def _run(self, verb, _key, *rest):
        if verb == "UNLINK":
            self.scores = {}
        elif self.scores is None:
            return Unreadable("of a wrong type")
        elif verb == "ZRANGE":
            first, last, _ = rest
            pairs = sorted(self.scores.items(), key=lambda pair: (pair[1], pair[0]))[first : last + 1]
            self.longest = max(self.longest, len(pairs))
            return [part for member, score in pairs for part in (member, b"%d" % score)]
        elif verb == "ZADD":
            self.scores |= {member: int(score) for score, member in zip(rest[::2], rest[1::2], strict=True)}
        else:
            self.scores = {member: score for member, score in self.scores.items() if member not in rest}
        return None


class FakeWriteModel:
    """Says what the set of the owner should be."""

    def __init__(self, expected):
        self._expected = expected

    def rows(self, *_):
        return [(OWNER, b"".join(sorted(self._expected)))] if self._expected else []


def stores(redis, expected):
    return Stores(FakeWriteModel(expected), redis, None)


@given(found=entries, misplaced=entries, expected=entries, readable=st.booleans())
def test_a_repaired_set_is_faultless(found, misplaced, expected, readable):
    """Whatever was there, in steps of bounded length; and only a set that differs has faults."""
    redis = FakeRedisViews(dict.fromkeys(found, 0) | dict.fromkeys(misplaced, 1) if readable else None)
    view, at = AuthorCheeps(), stores(redis, expected)
    with patch.multiple(sorted_sets, MEMBERS_AT_ONCE=3, _WRITTEN_AT_ONCE=2):
        [before] = view.found(redis, [OWNER])
        differs = not readable or bool(misplaced) or found != expected
        assert bool(view.judge(before, sorted(expected) or None)) == differs
        repairs = view.repairs(at, [OWNER])
        assert bool(repairs) == differs
        assert all(len(command) <= 2 + 2 * 2 for repair in repairs for command in repair.commands)
        redis.execute(command for repair in repairs for command in repair.commands)
        [after] = view.found(redis, [OWNER])
        assert view.judge(after, sorted(expected) or None) == ()
    assert redis.longest <= 3


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 6, 7])
def test_a_set_is_read_whole_in_steps(number):
    """Also where the last step is full."""
    redis = FakeRedisViews(dict.fromkeys(ENTRIES[:number], 0))
    with patch.object(sorted_sets, "MEMBERS_AT_ONCE", 3):
        assert AuthorCheeps().found(redis, [OWNER]) == [[(entry, b"0") for entry in ENTRIES[:number]]]
