import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt import get_algorithm_by_name

from cheeper_runtime.tokens.keys import keys_of
from cheeper_runtime.tokens.testing import MemoryIssuer

PUBLISHED = json.loads(MemoryIssuer().key_set())["keys"][0]


def test_a_key_has_the_algorithms_of_its_type():
    """The algorithms of a key follow from its type."""
    found = {algorithm: MemoryIssuer(algorithm=algorithm) for algorithm in ("EdDSA", "ES256", "RS256", "PS256")}
    for algorithm, issuer in found.items():
        assert keys_of(issuer.key_set())[issuer.kid].algorithms == (algorithm,)


@pytest.mark.parametrize(
    "changed",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"use": "enc"},
        {"alg": "HS256"},
        {"alg": ["EdDSA"]},
        {"crv": "Ed448"},
        {"crv": ["Ed25519"]},
        {"kty": 7},
        {"x": None},
        {"x": "!"},
        {"kid": ["a"]},
    ],
)
def test_a_key_that_is_of_no_use_is_left_out(changed):
    """Shared secrets, keys for other uses and broken ones verify nothing, and do not spoil the others."""
    text = json.dumps({"keys": [{**PUBLISHED, "kid": "other", **changed}, PUBLISHED]}).encode()
    assert list(keys_of(text)) == [PUBLISHED["kid"]]


def test_a_short_rsa_key_is_left_out():
    """A key that can be factored proves nothing."""
    short = rsa.generate_private_key(public_exponent=65_537, key_size=1024).public_key()  # noqa: S505 - it must be refused
    published = json.loads(get_algorithm_by_name("RS256").to_jwk(short))
    assert keys_of(json.dumps({"keys": [{**published, "kid": "short"}]}).encode()) == {}
