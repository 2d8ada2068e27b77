"""The rotation of signing keys, as verifiers see it."""

import jwt
from hypothesis import given
from hypothesis import strategies as st

from identity.domain.signing_keys import (
    KEPT_AFTER,
    PUBLISHED_BEFORE,
    ROTATED_AFTER,
    TOKEN_SECONDS,
    key_set,
    plan,
    sign,
    signer,
)

FETCH_SECONDS, LEEWAY_SECONDS = 300, 30


def _apply(keys, needed):
    kept = [key for key in keys if key.kid not in needed.withdraw]
    return kept + ([needed.add] if needed.add else [])


def test_the_first_key_signs_at_once():
    """A new system need not wait for its first token."""
    keys = _apply([], plan([], 1000))
    assert signer(keys, 1000) is keys[0]
    assert plan(keys, 1000).add is None


def test_rotation_twice_prepares_one_key():
    """A second request for rotation finds the key that waits."""
    keys = _apply([], plan([], 0))
    keys = _apply(keys, plan(keys, 10, rotate=True))
    assert plan(keys, 20, rotate=True).add is None


@given(st.lists(st.tuples(st.integers(1, 2000), st.booleans()), min_size=1, max_size=60))
def test_a_verifier_that_fetches_every_five_minutes_knows_each_key(steps):
    """Whatever is rotated when, each token that is signed can be verified until it has expired, by a verifier whose
    copy of the keys is up to 300 s old.
    """
    now, keys, published, signed = 0, [], [], []
    for pause, rotate in steps:
        keys = _apply(keys, plan(keys, now, rotate=rotate))
        published.append((now, {key.kid for key in keys}))
        signed.append((now, signer(keys, now).kid))
        now += pause
    first = signed[0][1]
    for at, kid in signed:
        for since, kids in published:
            in_use = at <= since <= at + TOKEN_SECONDS + LEEWAY_SECONDS
            known_before = kid != first and at - FETCH_SECONDS <= since < at
            assert not (in_use or known_before) or kid in kids


def test_an_old_key_is_replaced_and_withdrawn_by_itself():
    """Keys rotate by time alone."""
    keys = _apply([], plan([], 0))
    keys = _apply(keys, plan(keys, ROTATED_AFTER))
    assert signer(keys, ROTATED_AFTER + PUBLISHED_BEFORE - 1).kid == keys[0].kid
    assert signer(keys, ROTATED_AFTER + PUBLISHED_BEFORE).kid == keys[1].kid
    last = ROTATED_AFTER + PUBLISHED_BEFORE + KEPT_AFTER
    assert plan(keys, last).withdraw == ()
    assert plan(keys, last + 1).withdraw == (keys[0].kid,)


def test_the_published_set_verifies_and_has_no_secret():
    """The set has public members alone, and a token names its key in it."""
    keys = _apply([], plan([], 0))
    published = key_set(keys)["keys"]
    assert set(published[0]) == {"kty", "crv", "x", "kid", "use", "alg"}
    token = sign(keys[0], {"sub": "x"})
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "kid": keys[0].kid, "typ": "at+jwt"}
    assert jwt.decode(token, jwt.PyJWK(published[0]).key, algorithms=["EdDSA"]) == {"sub": "x"}
