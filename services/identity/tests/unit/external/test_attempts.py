import hashlib
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.external.attempts import Attempt, new_attempt


def test_no_value_is_another_ones_and_all_differ_between_attempts():
    """The values in URLs, of the provider and in the store differ from the secret and from each other."""
    values = [
        value
        for attempt in (new_attempt(), new_attempt())
        for value in (attempt.secret, attempt.state, attempt.nonce, attempt.verifier, attempt.challenge, attempt.digest)
    ]
    assert len(set(values)) == len(values)


def test_the_challenge_is_that_of_pkce():
    """The challenge is the digest of the verifier by S256, without padding; a verifier has 43 characters."""
    attempt = new_attempt()
    digest = hashlib.sha256(attempt.verifier.encode()).digest()
    assert attempt.challenge == urlsafe_b64encode(digest).decode().rstrip("=")
    assert len(attempt.verifier) == 43


@given(st.text(), st.text())
def test_any_text_of_a_client_is_compared(secret, state):
    """Whatever a client sends as secret and state, they fit only if the state is derived from the secret."""
    attempt = Attempt(secret)
    assert attempt.has_state(attempt.state)
    assert not attempt.has_state(state)


@pytest.mark.parametrize("secret", ["", "\udc80"])
def test_a_secret_that_is_none_fits_no_state(secret):
    """An empty secret, or one that is no text, is compared as any other."""
    assert not Attempt(secret).has_state(new_attempt().state)
