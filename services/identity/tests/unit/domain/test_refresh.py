"""The rotation of refresh tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.domain.refresh import GRACE_SECONDS, IDLE_SECONDS, LONGEST_SECONDS, begin, rotate, session_id_of

NOW = 1_800_000_000


def test_a_token_leads_to_the_next_one():
    """Each use returns another token, and the session keeps neither."""
    session, first = begin("an-account", NOW)
    rotation = rotate(session, first, NOW + 60)
    assert (rotation.kind, rotation.token != first) == ("rotated", True)
    assert rotation.token.encode() not in rotation.session.current + rotation.session.previous + rotation.session.salt
    assert rotate(rotation.session, rotation.token, NOW + 120).kind == "rotated"


def test_a_repetition_within_the_grace_gets_the_same_token():
    """Two requests at once with one token are no theft: both get the same next token."""
    session, first = begin("an-account", NOW)
    rotation = rotate(session, first, NOW)
    repeated = rotate(rotation.session, first, NOW + GRACE_SECONDS)
    assert (repeated.kind, repeated.token, repeated.session) == ("repeated", rotation.token, rotation.session)


def test_a_late_use_of_an_old_token_is_a_theft():
    """After the grace, an old token revokes."""
    session, first = begin("an-account", NOW)
    rotation = rotate(session, first, NOW)
    assert rotate(rotation.session, first, NOW + GRACE_SECONDS + 1).kind == "reused"


def test_a_token_of_two_steps_ago_is_a_theft_at_once():
    """The grace is for the last step alone."""
    session, first = begin("an-account", NOW)
    second = rotate(session, first, NOW)
    third = rotate(second.session, second.token, NOW)
    assert rotate(third.session, first, NOW).kind == "reused"


@pytest.mark.parametrize(("after", "kind"), [(IDLE_SECONDS, "rotated"), (IDLE_SECONDS + 1, "refused")])
def test_an_idle_session_ends(after, kind):
    """A session that is not used ends."""
    session, first = begin("an-account", NOW)
    assert rotate(session, first, NOW + after).kind == kind


def test_a_busy_session_ends_too():
    """The password is needed again after some months, however often the session is refreshed."""
    session, token = begin("an-account", NOW)
    now = NOW
    while now <= NOW + LONGEST_SECONDS:
        rotation = rotate(session, token, now)
        assert rotation.kind == "rotated"
        session, token = rotation.session, rotation.token
        now += IDLE_SECONDS // 2
    assert rotate(session, token, now).kind == "refused"


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 25)), max_size=30))
def test_any_use_but_of_the_newest_token_or_its_repetition_revokes(uses):
    """Whatever is used when, a token counts if it is the newest, or the one before it within the grace."""
    session, token = begin("an-account", NOW)
    issued, now, rotated_at = [token], NOW, NOW
    for which, pause in uses:
        now += pause
        used = issued[-1 - which % len(issued)]
        rotation = rotate(session, used, now)
        if used == issued[-1]:
            assert rotation.kind == "rotated"
            session, rotated_at = rotation.session, now
            issued.append(rotation.token)
        elif used == issued[-2] and now - rotated_at <= GRACE_SECONDS:
            assert (rotation.kind, rotation.token) == ("repeated", issued[-1])
        else:
            assert rotation.kind == "reused"
            return


@pytest.mark.parametrize("token", ["", ".", "x.y", "x" * 300, "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "\udc80.\udc80"])
def test_what_is_no_token_names_no_session(token):
    """A text of another form reaches no store."""
    assert session_id_of(token) is None
