"""Attempts to sign in by a provider: what is derived from the secret of one.

Who begins an attempt gets its secret, which is in no URL. The browser's way through the provider has values that are
derived from it in one direction: the `state` that comes back, the `nonce` that the provider signs, and the challenge of
PKCE, whose verifier goes to the provider beside the code. So a code is of use to nobody but who began the attempt, and
the store needs to keep nothing but a digest, for a single use.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from typing import Final

import msgspec

ATTEMPT_SECONDS: Final = 600
"""The time within which an attempt must be completed."""


class Attempt(msgspec.Struct, frozen=True):
    """An attempt, known by its secret."""

    secret: str

    @property
    def state(self) -> str:
        """The `state` of the authorization request, which the provider returns."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """The `nonce` of the authorization request, which the ID token has."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """The code verifier of PKCE (RFC 7636)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """The code challenge of the verifier by the method S256."""
        return _encoded(hashlib.sha256(self.verifier.encode()).digest())

    @property
    def digest(self) -> bytes:
        """The digest of the attempt, which the store keeps."""
        return hashlib.sha256(self.state.encode()).digest()

    def has_state(self, state: str) -> bool:
        """Return True if this is the attempt's state."""
        return hmac.compare_digest(state.encode(errors="surrogatepass"), self.state.encode())

    def _derived(self, use: str) -> str:
        return _encoded(hmac.digest(self.secret.encode(errors="surrogatepass"), use.encode(), "sha256"))


def new_attempt() -> Attempt:
    """Return a new attempt, whose secret has 256 random bits."""
    return Attempt(secrets.token_urlsafe(32))


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
